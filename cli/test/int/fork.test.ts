/** Forks of jobs that were really done, on a whole system: played back from every fact, run on otherwise, and alive when their parent is gone. */
import { natsBlobs } from '@loom/blobs';
import { checkAll, decideAgain } from '@loom/cli';
import { foldJob, type JobDiff, type JobView } from '@loom/job';
import type { Address } from '@loom/log';
import { Sweep } from '@loom/orchestrator';
import { shows } from '@loom/test';
import { openVault } from '@loom/vault';
import { setTimeout as sleep } from 'node:timers/promises';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { addressOf, logOf, loom, rootKeyOf, setUp, tearDown, type Context } from '../support/replay-world.ts';

const test = suite<Context>('fork');
test.before(setUp);
test.after(tearDown);

interface Point {
  readonly from_seq: number;
  readonly mode: 'playback' | 're-execute';
  readonly overrides?: object;
}

const forkOf = async ({ client }: Context, parent: string, point: Point): Promise<string> =>
  (await client.gateway.json<JobView>('POST', `/v1/jobs/${parent}/fork`, point)).id;

const hashOf = async ({ client }: Context, id: string): Promise<string> =>
  (await client.gateway.json<{ state_hash: string }>('GET', `/v1/jobs/${id}/state`)).state_hash;

/** A fork from each fact of a job, played back to its end. */
async function playedBack(context: Context, parent: string): Promise<readonly JobView[]> {
  const facts = await Array.fromAsync(context.log.readClear(await addressOf(context.log, parent)));
  return Promise.all(
    facts.map(async ({ seq }) => {
      const id = await forkOf(context, parent, { from_seq: seq, mode: 'playback' });
      return context.client.ended(id);
    }),
  );
}

const types = async ({ log }: Context, id: string): Promise<readonly string[]> =>
  (await Array.fromAsync(log.readClear(await addressOf(log, id)))).map(({ type }) => type);

test('played back from each of its facts a job ends in the same state: no model is asked, no code runs, nothing is claimed or spent', async (context) => {
  const { asked, model } = context;
  const [calls, hash] = [model.ledger.length, await hashOf(context, asked)];
  const forks = await playedBack(context, asked);
  assert.ok(forks.length >= 30, `${forks.length} facts`);
  for (const { id, from_seq, status, spent_micros, recorded_micros } of forks) {
    assert.is(await hashOf(context, id), hash, `from ${from_seq}`);
    assert.equal([status, spent_micros], ['completed', 0]);
    assert.ok((recorded_micros ?? 0) > 0);
    const done = (await types(context, id)).filter((type) => /claimed|called|workspace/.test(type));
    assert.equal(done, [], `from ${from_seq}`);
  }
  assert.is(model.ledger.length, calls);
});

test('what was asked of a person and is open is asked again when the fork runs on', async (context) => {
  const { asked, client, log } = context;
  const facts = await Array.fromAsync(log.read(await addressOf(log, asked)));
  const from_seq = facts.find(({ items }) => items.some(({ type }) => type === 'input.requested'))?.seq ?? 0;
  const id = await forkOf(context, asked, { from_seq, mode: 're-execute', overrides: { budget_micros: 9_000_000 } });
  const waiting = await client.until(id, ({ status }) => status === 'waiting_input');
  assert.equal([waiting.spent_micros, waiting.budget_micros], [0, 9_000_000]);
  const body = { text: 'By day.', in_reply_to: waiting.pending[0]?.id };
  await client.gateway.call('POST', `/v1/jobs/${id}/messages`, body);
  assert.is((await client.ended(id)).status, 'completed');
  const { totals, steps } = await client.gateway.json<JobDiff>('GET', `/v1/jobs/${asked}/diff/${id}`);
  assert.equal([totals.a.outcome, totals.b.outcome], ['completed', 'completed']);
  assert.is(steps.find(({ slot }) => slot === 'a0-1')?.same, true);
});

test('another brief takes a fork another way, and the diff says where', async (context) => {
  const { whole, client, log, model } = context;
  const [first] = await Array.fromAsync(log.readClear(await addressOf(log, whole)));
  const calls = model.ledger.length;
  const overrides = { brief: 'SHORT count.', policy: { max_steps: 3 } };
  const id = await forkOf(context, whole, { from_seq: first?.seq ?? 0, mode: 're-execute', overrides });
  assert.is((await client.ended(id)).status, 'completed');
  assert.ok(model.ledger.length > calls);
  const found = await client.gateway.json<JobDiff & { artifacts: { text?: string }[] }>(
    'GET',
    `/v1/jobs/${whole}/diff/${id}`,
  );
  assert.match(found.artifacts[0]?.text ?? '', /^-Two rows\. This report.*\n(.*\n)*\+Two\. /m);
  const job = await log.getClear(await addressOf(log, id), 'orchestrator', 'job.forked', '0');
  assert.is(job?.replay, 're-execute');
});

test('what cannot be forked, or overridden, is refused in words that say what to do', async (context) => {
  const refusal = (parent: string, point: object): Promise<string> =>
    context.client.gateway.json('POST', `/v1/jobs/${parent}/fork`, point).then(
      () => 'accepted',
      ({ message }: Error) => message,
    );
  const [first] = await Array.fromAsync(context.log.readClear(await addressOf(context.log, context.whole)));
  const from_seq = first?.seq ?? 0;
  const loose = { policy: { max_agents: 10_000 } };
  const said = await Promise.all([
    refusal(context.whole, { from_seq: 999_999, mode: 'playback' }),
    refusal(context.whole, { from_seq, mode: 'playback', overrides: { brief: 'Other.' } }),
    refusal(context.whole, { from_seq, mode: 're-execute', overrides: loose }),
    refusal(context.whole, { from_seq, mode: 're-execute', colour: 'red' }),
    refusal('job_00000000000000000000000000', { from_seq, mode: 'playback' }),
  ]);
  const wanted = [/no fact of this job.*from_seq/, /playback repeats/, /max_agents/, /colour/, /not_found/];
  for (const [i, pattern] of wanted.entries()) assert.match(said[i] ?? '', pattern);
});

/** Where the files that a job was given and made lie, each with its key. */
async function filesOf({ log }: Context, at: Address): Promise<readonly (readonly [string, Buffer])[]> {
  const { submitted, artifacts } = await foldJob(log, at);
  const given = (submitted?.attachments ?? []).map(({ object, data_key }) => [object, data_key] as const);
  return [...given, ...[...artifacts.values()].map(({ object, dataKey }) => [object, dataKey] as const)];
}

test('a fork is verified like any job, lives on without its parent, and is forked again', async (context) => {
  const { log, system, whole } = context;
  const at = await addressOf(log, whole);
  const facts = await Array.fromAsync(log.readClear(at));
  const middle = facts[Math.floor(facts.length / 2)]?.seq ?? 0;
  const [id, hash] = [
    await forkOf(context, whole, { from_seq: middle, mode: 'playback' }),
    await hashOf(context, whole),
  ];
  await context.client.ended(id);
  const elsewhere = [...(await filesOf(context, at)), ...(await filesOf(context, { ...at, stream: id }))];
  await using retention = await logOf(system, 'retention');
  const vault = await openVault({ connection: retention.connection, rootKeyFile: rootKeyOf(system) });
  await vault.destroy({ tenant: at.tenant, job: at.stream });
  const { exit, lines } = await loom(context, id, '--verify');
  assert.equal([exit, lines.at(-1)?.['ok'], lines.at(-1)?.['content']], [0, true, 'opened']);
  assert.equal(lines.at(-1)?.['remarks'], 0);
  const forked = (await log.getClear({ ...at, stream: id }, 'orchestrator', 'job.forked', '0'))?.seq ?? 0;
  const again = await forkOf(context, id, { from_seq: forked, mode: 'playback' });
  assert.is((await context.client.ended(again)).status, 'completed');
  assert.is(await hashOf(context, again), hash);
  const blobs = await natsBlobs({ connection: retention.connection });
  for (const [object] of elsewhere) await blobs.erase(object);
  const own = await filesOf(context, { ...at, stream: again });
  assert.ok(own.length >= 2);
  for (const [object, key] of own) assert.ok((await blobs.get(object, key)).length > 0);
});

test('the log, the books and the projections hold with all these forks among them', async ({ log, system, model }) => {
  await sleep(100);
  const options = { decide: decideAgain, ledgers: { models: model.ledger }, kills: 0 };
  const { findings } = await checkAll(log, options, system.postgresUrl);
  assert.equal(findings, []);
});

test('no playback that has ended is on the list of open jobs, nor counted as one', async ({ log, system }) => {
  const { found } = await log.scan('gateway', 'job.submitted');
  const playbacks = found.filter(({ replay }) => replay === 'playback');
  assert.ok(playbacks.length > 30, `${playbacks.length} playbacks`);
  assert.equal(
    (await new Sweep(log).open()).map(({ stream }) => stream),
    [],
  );
  await shows(system, 'orchestrator', /^loom_jobs_open\S* 0$/m);
});

test.run();
