import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { LoomError, inSpan, metrics, serve, telemetry, traceparent } from '@loom/service';
import { otlpReceiver } from '../../../../test/emulators/otlp.ts';

const get = async (port: number, path: string) => {
  const answer = await fetch(`http://127.0.0.1:${port}${path}`);
  return { status: answer.status, text: await answer.text() };
};

test('a service answers for its process, for its parts, and for its figures', async () => {
  let database = true;
  const running = await serve({ name: 'x', port: 0, ready: async () => ({ log: true, database }) });
  metrics.counter('loom_test_facts', 'Facts').add(2, { service: 'x' });
  assert.is((await get(running.port, '/healthz')).status, 200);
  assert.is((await get(running.port, '/readyz')).status, 200);
  assert.match((await get(running.port, '/metrics')).text, 'loom_test_facts_total{service="x"} 2');
  database = false;
  const unready = await get(running.port, '/readyz');
  assert.is(unready.status, 503);
  assert.equal(JSON.parse(unready.text).parts, { log: true, database: false });
  assert.is((await get(running.port, '/elsewhere')).status, 404);
  await running.stop();
  await running.stop();
});

test('a readiness check that throws is an answer of not ready', async () => {
  const running = await serve({ name: 'x', port: 0, ready: () => Promise.reject(new Error('down')) });
  assert.is((await get(running.port, '/readyz')).status, 503);
  await running.stop();
});

test('services in one process share a trace and keep their names; the receiver sees parents and error codes', async () => {
  await using receiver = await otlpReceiver();
  const env = { OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url };
  const [one, two] = [await telemetry('gateway', env), await telemetry('agent-runner', env)];
  let carried = '';
  await inSpan('gateway POST /v1/jobs', '', { 'loom.job': 'j' }, async () => {
    carried = traceparent();
  });
  const failing = inSpan('agent-runner step', carried, {}, () => Promise.reject(new LoomError('model_unavailable')));
  await failing.catch(() => undefined);
  await one.stop();
  await two.stop();
  const [first, second] = receiver.spans;
  assert.is(receiver.spans.length, 2);
  assert.equal([first?.scope, second?.scope], ['gateway', 'agent-runner']);
  assert.is(second?.trace, first?.trace);
  assert.is(second?.parent, first?.id);
  assert.equal(
    [first?.attributes['loom.job'], second?.attributes['loom.code'], second?.status],
    ['j', 'model_unavailable', 2],
  );
});

test('traces have ids and parents when nothing exports them', async () => {
  const tracing = await telemetry('x', {});
  const parent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
  const inside = await inSpan('x act', parent, {}, async () => traceparent());
  assert.match(inside, /^00-0af7651916cd43dd8448eb211c80319c-/);
  assert.is(traceparent(), '');
  await tracing.stop();
});

const program = `
import { main, serve } from '@loom/service';
main({ main: true }, 'x', async () => {
  const running = await serve({ name: 'x', port: 0, ready: async () => ({}) });
  return { port: running.port, stop: async () => { await running.stop(); console.log('drained'); } };
});`;

test('a service prints one line when it is ready, and drains on SIGTERM', async () => {
  const child = spawn(process.execPath, ['--input-type=module', '-e', program], { cwd: import.meta.dirname });
  const printed: string[] = [];
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => printed.push(chunk));
  await once(child.stdout, 'data');
  const { service, port } = JSON.parse(printed.join('')) as { service: string; port: number };
  assert.is(service, 'x');
  assert.is((await get(port, '/healthz')).status, 200);
  child.kill('SIGTERM');
  const [code] = await once(child, 'close');
  assert.is(code, 0);
  assert.match(printed.join(''), 'drained');
});

test('a service that lacks a setting says which and exits 3', async () => {
  const broken = `import { main, config, setting } from '@loom/service';
    main({ main: true }, 'x', async (env) => { config({ a: setting.text('LOOM_MISSING_ONE') }, env); });`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', broken], { cwd: import.meta.dirname });
  const told: string[] = [];
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => told.push(chunk));
  const [code] = await once(child, 'close');
  assert.is(code, 3);
  assert.match(told.join(''), 'LOOM_MISSING_ONE is not set');
});

test.run();
