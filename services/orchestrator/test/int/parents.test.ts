/** What a fork takes over, on a real log and store: its files are its own, however deep in the forks before it they were made. */
import { natsBlobs, type Blobs } from '@loom/blobs';
import { bundleOf, emptyJob, openBundle, type Job } from '@loom/job';
import type { Address, Draft, Fact, Item, Log } from '@loom/log';
import type { Bodies } from '@loom/schemas';
import { openVault, type Vault } from '@loom/vault';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { all, fence, job, run, submitted, world } from '../../../../packages/log/test/world.ts';
import type { World } from '../../../../packages/log/test/world.ts';
import { parentsOf } from '../../src/index.ts';

interface Context {
  world: World;
  gateway: Log;
  orchestrator: Log;
  blobs: Blobs;
  vault: Vault;
}
const test = suite<Context>('parents');

test.before(async (context) => {
  context.world = await world();
  context.gateway = await context.world.log('gateway');
  context.orchestrator = await context.world.log('orchestrator');
  context.blobs = await natsBlobs({ connection: context.orchestrator.connection });
  const { rootKeyFile } = context.world;
  context.vault = await openVault({ connection: context.orchestrator.connection, rootKeyFile });
});
test.after(async (context) => context.world[Symbol.asyncDispose]());

type File = Bodies['tool.settled']['files'][number];

async function fileOf({ blobs }: Context, at: Address, path: string): Promise<File> {
  const { object, dataKey, size, sha256 } = await blobs.put({ tenant: at.tenant, job: at.stream }, Buffer.from(path));
  return { path, media_type: 'text/plain', size, sha256, object, data_key: dataKey };
}

const draft = <T extends Draft['type']>(type: T, key: string, body: Bodies[T]): Draft => ({ type, key, body }) as Draft;

/** A job that was given a file, ran code on it, and wrote what came of it down; the run brings a recorded outcome, as in a playback. */
async function rootJob(context: Context): Promise<Address> {
  const at = job();
  const [given, made] = [await fileOf(context, at, 'given.csv'), await fileOf(context, at, 'made.txt')];
  const { path: name, ...lies } = given;
  const attachment = { name, ...lies };
  const brief = submitted();
  assert.ok(brief.type === 'job.submitted');
  const first = await context.gateway.append(at, {
    ...brief,
    body: { ...brief.body, attachments: [attachment] },
  });
  const asked = run('a1-1-0-1');
  assert.ok(asked.type === 'run.requested');
  const outcome = {
    outcome: 'completed',
    code: '',
    exit_code: 0,
    result: '',
    files: [made],
    cost_micros: 0,
    latency_ms: 1,
  } as const;
  const wanted = { ...asked, body: { ...asked.body, inputs: [attachment], recorded: outcome } };
  const decided = await context.orchestrator.decide(at, [wanted], fence(first.seq, 0));
  const slot = { agent: 'a1', step: 1, call: 0, attempt: 1, tool: 'run_code', input_hmac: Buffer.alloc(32) };
  const settled = draft('tool.settled', 'a1-1-0-1', { ...slot, ...outcome });
  await context.orchestrator.append(at, settled, { source: 'sandbox' });
  const artifact = draft('artifact.written', 'made', { agent: 'a1', call: 'a1-1-0-1', ...made });
  await context.orchestrator.decide(at, [artifact], fence(first.seq + 2, decided?.seq ?? 0));
  return at;
}

/** A fork of a job, with what the orchestrator takes over for it. */
async function forkOf(
  context: Context,
  parent: Address,
  from_seq: number,
): Promise<Address & { readonly forked: number }> {
  const at = job(parent.tenant);
  const brief = submitted();
  assert.ok(brief.type === 'job.submitted');
  const body = { ...brief.body, forked_from: parent.stream, from_seq, mode: 'playback' as const };
  const { seq } = await context.gateway.append(at, { ...brief, body });
  const taken = await takenOver(context, at, body);
  const money = { epoch: 0, budget_micros: 0, recorded_micros: 0 };
  const whole = { facts: taken.length, agents: [], bundle: bundleOf(taken), request_key: Buffer.alloc(32) };
  const forked = draft('job.forked', '0', { parent: parent.stream, from_seq, mode: 'playback', ...money, ...whole });
  const decided = await context.orchestrator.decide(at, [forked], fence(seq, 0));
  return { ...at, forked: decided?.seq ?? 0 };
}

async function takenOver(
  { orchestrator, vault, blobs }: Context,
  at: Address,
  asked: Bodies['job.submitted'],
): Promise<readonly Fact[]> {
  const fork: Job = Object.assign(emptyJob(at), { submitted: asked });
  const found = await parentsOf({ log: orchestrator, vault, blobs })(fork);
  assert.ok(found);
  return found.facts;
}

type Place = Pick<File, 'object' | 'data_key'>;

/** Every file that facts name, those of the bundles in them included. */
const filesIn = (facts: readonly Fact[]): readonly Place[] => facts.flatMap(({ items }) => items.flatMap(filesOf));

function filesOf({ type, body }: Item): readonly Place[] {
  if (type === 'job.submitted') return body.attachments;
  if (type === 'run.requested') return [...body.inputs, ...(body.recorded?.files ?? [])];
  if (type === 'tool.settled') return body.files;
  if (type === 'artifact.written') return [body];
  return type === 'job.forked' ? filesIn(openBundle(body)) : [];
}

test('a fork of a fork has copies of its own of every file, recorded ones too: it reads them when both before it are erased', async (context) => {
  const { orchestrator, blobs } = context;
  const root = await rootJob(context);
  const [, decided] = await all(orchestrator.read(root));
  const first = await forkOf(context, root, decided!.seq);
  const second = await forkOf(context, first, first.forked);
  const [mine, others] = [
    filesIn(await all(orchestrator.read(second))),
    [...filesIn(await all(orchestrator.read(root))), ...filesIn(await all(orchestrator.read(first)))],
  ];
  const names = (files: readonly Place[]): ReadonlySet<string> => new Set(files.map(({ object }) => object));
  assert.is(mine.length, 5, 'given, put in, recorded, settled, written');
  assert.is(names(mine).size, 2, 'each is copied once');
  assert.is(names(mine).intersection(names(others)).size, 0);
  const { connection } = await context.world.log('retention');
  const store = await natsBlobs({ connection });
  for (const object of names(others)) await store.erase(object);
  for (const { object, data_key } of mine) {
    const text = (await blobs.get(object, data_key)).toString();
    assert.ok(['given.csv', 'made.txt'].includes(text), text);
  }
});

test.run();
