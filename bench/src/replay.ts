/** What it takes to stand at the end of a long job, and to prove how it went, beside the plain reading of its facts. */
import { verifyJob } from '@loom/check';
import { makerOf } from '@loom/cli';
import { emptyJob, evolve, foldJob } from '@loom/job';
import type { Job } from '@loom/job';
import { readRaw } from '@loom/log';
import type { Address, Log } from '@loom/log';
import { openVault } from '@loom/vault';
import { setTimeout as sleep } from 'node:timers/promises';
import { figures, type Figure, type Round } from './figures.ts';
import { forks } from './fork.ts';
import { timed } from './meter.ts';
import type { BenchOptions } from './pingpong.ts';
import { rebuilds } from './rebuild.ts';
import { ends, logOf, startRig, submit, type Rig } from './rig.ts';

/** 50 agents of 50 steps, each but the last with a tool: some 10,000 facts. */
const shape = { kind: 'swarm', width: 50, steps: 50, pause: 600 } as const;

interface Pair {
  readonly ours: Round;
  readonly theirs: Round;
}

export async function* replay(options: BenchOptions): AsyncGenerator<Figure> {
  yield* standing(options);
  yield* forks(options, shape);
}

/** One long job, folded and verified; then the log with two more of them, rebuilt. */
async function* standing(options: BenchOptions): AsyncGenerator<Figure> {
  const { nats, rounds, note } = options;
  await using rig = await startRig({ binary: nats, sync: 'default' });
  note(`a job of ${shape.width} agents`);
  const at = await longJob(rig);
  await using log = await logOf('operator', rig.servers);
  const { facts } = await cold(log, at);
  const name = (what: string, reference: string) => ({ bench: 'replay', case: `${facts} facts, ${what}`, reference });
  const verify = await verifier(rig, log, at);
  await snapshot(log, at);
  await verify();
  const pairs = { cold: [] as Pair[], kept: [] as Pair[], verify: [] as Pair[] };
  for (let i = 0; i < rounds; i++) {
    note(`round ${i + 1} of ${rounds}`);
    const read = await timed(() => bare(log, at));
    const folded = await timed(() => cold(log, at));
    const kept = await timed(() => snapshot(log, at));
    pairs.cold.push({ theirs: foldOf(read), ours: foldOf(folded) });
    pairs.kept.push({ theirs: foldOf(read), ours: foldOf(kept) });
    const verified = await timed(verify);
    const rate = ({ ms, busy }: Spent): Round => ({ decisions: verified.value / (ms / 1000), busy });
    pairs.verify.push({ theirs: rate(folded), ours: rate(verified) });
  }
  yield* figures(name('cold', 'bare read'), pairs.cold);
  yield* figures(name('from a snapshot', 'bare read'), pairs.kept);
  yield* figures(name('verified', 'a cold fold'), pairs.verify);
  note('two more of them');
  for (let i = 0; i < 2; i++) await longJob(rig);
  yield* rebuilds(log, options);
}

type Spent = Pick<Awaited<ReturnType<typeof timed>>, 'ms' | 'busy'>;

const foldOf = ({ ms, busy }: Spent): Round => ({ fold: ms, busy });

/** Made by the services themselves; they are gone when it has ended and its last state is kept. */
async function longJob(rig: Rig): Promise<Address> {
  await using crew = await rig.crew('loom', shape);
  const answered = ends(crew, 1);
  const at = await submit(rig.gateway);
  await answered;
  while ((await foldJob(rig.gateway, at)).ended === null) await sleep(50);
  for (const until = Date.now() + patience; (await behindSnapshot(rig.gateway, at)) > 0; await sleep(50))
    if (Date.now() > until) throw new Error('the last state of the job was not kept');
  return at;
}

/** Until a state that is to be kept lies in its bucket, ms. */
const patience = 10_000;

async function bare(log: Log, at: Address): Promise<void> {
  for await (const _ of readRaw(log, at));
}

/** From the first fact on. */
async function cold(log: Log, at: Address): Promise<Job> {
  const job = emptyJob(at);
  for await (const fact of log.read(at)) evolve(job, fact);
  return job;
}

/** As every service folds. @throws when there was no snapshot to begin with */
async function snapshot(log: Log, at: Address): Promise<Job> {
  const { job, read } = await foldCounted(log, at);
  if (read >= job.facts) throw new Error('the job has no snapshot');
  return job;
}

const behindSnapshot = async (log: Log, at: Address): Promise<number> => (await foldCounted(log, at)).read;

/** The job as every service folds it, and how many facts were read for it. */
async function foldCounted(log: Log, at: Address): Promise<{ readonly job: Job; readonly read: number }> {
  let read = 0;
  const counted = {
    snapshots: log.snapshots,
    async *read(...place: Parameters<Log['read']>) {
      for await (const fact of log.read(...place)) {
        read += 1;
        yield fact;
      }
    },
  };
  return { job: await foldJob(counted, at), read };
}

/** Verifies the whole job and says how many decisions came out the same. @throws when one did not */
async function verifier(rig: Rig, log: Log, at: Address): Promise<() => Promise<number>> {
  const vault = await openVault({ connection: log.connection, rootKeyFile: rig.servers.rootKeyFile });
  return async () => {
    const { broken, decisions, requests } = await verifyJob(log, at, Infinity, makerOf(vault, at));
    if (broken !== null || requests === 0) throw new Error(`the job does not verify: ${broken?.message}`);
    return decisions;
  };
}
