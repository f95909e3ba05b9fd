/** The real system does a job, a model that fails once included; then every figure that alerts and dashboards ask for is there, with its labels. */
import { clientOf, scrape, shows, stack } from '@loom/test';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { openaiEmulator } from '../../emulators/openai.ts';
import type { Answer, Asked, Reply } from '../../emulators/script.ts';
import { exposed, expressions, wantedBy } from '../figures.ts';

type System = Awaited<ReturnType<typeof stack>>;
interface Context {
  owned: AsyncDisposableStack;
  system: System;
  /** What each service shows. */
  shown: ReadonlyMap<string, string>;
}
const test = suite<Context>('figures');

const scrapeAll = async (system: System): Promise<ReadonlyMap<string, string>> =>
  new Map(
    await Promise.all(
      Object.keys(system.state().healthPorts).map(async (name) => [name, await scrape(system, name)] as const),
    ),
  );

/** A question to the server may go without answer where the machine is held back: asked until none does, for half a minute. */
async function answered(system: System): Promise<ReadonlyMap<string, string>> {
  for (const end = Date.now() + 30_000; ;) {
    const shown = await scrapeAll(system);
    const silent = [...shown.values()].some((text) => /^loom_consumer_answers\{.*\} 0$/m.test(text));
    if (!silent || Date.now() > end) return shown;
  }
}

/** The first call fails; then a plan of one agent, who runs code, and a report. */
function script(asked: Asked, call: number): Reply {
  if (call === 1) return { fault: 'rate_limited', retryAfterSeconds: 0 };
  if (asked.turns.some(({ role }) => role === 'assistant')) return { text: 'Done.' };
  return { calls: [first(asked.tools)] };
}

function first(tools: readonly string[]): NonNullable<Answer['calls']>[number] {
  if (tools.includes('submit_plan')) {
    const agent = { id: 'counter', role: 'counter', task: 'Count the rows.', files: ['cities.csv'], required: true };
    return { name: 'submit_plan', args: { agents: [agent] } };
  }
  if (tools.includes('delegate')) return { name: 'run_code', args: { language: 'python', code: 'print(1)' } };
  return { name: 'write_artifact', args: { path: 'final/report.md', content: '# Report' } };
}

test.before(async (context) => {
  context.owned = new AsyncDisposableStack();
  const emulator = context.owned.use(await openaiEmulator({ script }));
  const env = { OPENAI_API_KEY: 'key', OPENAI_BASE_URL: emulator.url };
  context.system = context.owned.use(await stack({ split: true, env }));
  const client = clientOf(context.system);
  const id = await client.submit('Report on the cities.', { 'cities.csv': 'city,amount\nOslo,3\nRome,4\nLima,9\n' });
  assert.is((await client.ended(id, 120)).status, 'completed');
  await shows(context.system, 'orchestrator', /^loom_parked_oldest_seconds\{/m); // looked up between two scrapes
  context.shown = await answered(context.system);
});
test.after(async ({ owned }) => {
  await owned.disposeAsync();
});

/** Told by the cluster and not by us: the kubelet's figures of volumes, and those of kube-state-metrics. */
const external = new Set([
  'kubelet_volume_stats_available_bytes',
  'kubelet_volume_stats_capacity_bytes',
  'kube_statefulset_status_replicas_ready',
  'kube_statefulset_replicas',
]);

test('every figure and label that an alert or a dashboard asks for is exported', async ({ shown }) => {
  const all = exposed([...shown.values()].join('\n'));
  let asked = 0;
  for (const [where, expression] of await expressions())
    for (const { name, labels } of wantedBy(expression)) {
      asked += 1;
      if (external.has(name)) continue;
      assert.ok(all.has(name), `${where}: ${name} is not exported`);
      for (const label of labels) assert.ok(all.get(name)?.has(label), `${where}: ${name} has no label ${label}`);
    }
  assert.ok(asked > 80, String(asked));
});

test('every service tells its own lag, over every stream, and that the server answers', ({ shown }) => {
  for (const [service, text] of shown) {
    const lines = text.split('\n').filter((line) => line.includes(`messaging_consumer_group_name="${service}"`));
    const of = (name: string): readonly string[] => lines.filter((line) => line.startsWith(`${name}{`));
    const streams = service === 'orchestrator' ? 5 : 4;
    assert.is(of('loom_consumer_pending').length, streams, service);
    assert.equal(
      of('loom_consumer_answers').map((line) => line.split(' ').at(-1)),
      Array.from({ length: streams }, () => '1'),
      service,
    );
  }
});

test('what a model did is told as it was: one failure, tokens both ways, a cost', ({ shown }) => {
  const text = shown.get('agent-runner') ?? '';
  const value = (pattern: RegExp): number => Number(pattern.exec(text)?.[1] ?? Number.NaN);
  assert.is(value(/^gen_ai_client_operation_duration_seconds_count\{.*error_type="[^"]+".*\} (\d+)$/m), 1);
  assert.ok(value(/^gen_ai_client_token_usage_sum\{.*gen_ai_token_type="input".*\} (\d+)$/m) > 0);
  assert.ok(value(/^gen_ai_client_token_usage_sum\{.*gen_ai_token_type="output".*\} (\d+)$/m) > 0);
  assert.ok(value(/^loom_model_cost_micros_total\{.*\} (\d+)$/m) > 0);
});

test('nothing of content, tenants or people stands in a figure', ({ shown }) => {
  for (const [service, text] of shown) {
    for (const word of ['cities', 'Oslo', 'job_0', 'user_', 'tenant="', 'person="'])
      assert.not.match(text, word, service);
  }
});

test('a database that is gone and a log that is gone are seen by those who need them', async ({ system }) => {
  await system.kill('postgres');
  await shows(system, 'billing', /^loom_service_ready\{service="billing",part="database"\} 0$/m);
  await system.restart('postgres');
  await shows(system, 'billing', /^loom_service_ready\{service="billing",part="database"\} 1$/m);
  await system.kill('nats-server');
  await shows(system, 'billing', /^loom_service_ready\{service="billing",part="log"\} 0$/m);
  await shows(system, 'orchestrator', /^loom_consumer_answers\{.*"LOOM_EVENTS_0_0".*\} 0$/m);
  await system.restart('nats-server');
  await shows(system, 'orchestrator', /^loom_consumer_answers\{.*"LOOM_EVENTS_0_0".*\} 1$/m);
});

test.run();
