/**
 * From the request of a fork to its first live step, as a person waits for it: `POST /v1/jobs/{id}/fork` at the gateway until a runner has
 * claimed a step of the fork, that is, has folded it and is about to call its model.
 */
import type { Gateway } from '@loom/cli';
import { readRaw, type Address, type Log } from '@loom/log';
import type { JobView } from '@loom/job';
import { setTimeout as sleep } from 'node:timers/promises';
import { openDoor } from './door.ts';
import { figures, type Figure, type Round } from './figures.ts';
import { timed } from './meter.ts';
import type { BenchOptions } from './pingpong.ts';
import type { Shape } from './protocol.ts';
import { startRig } from './rig.ts';

export async function* forks(options: BenchOptions, shape: Extract<Shape, { kind: 'swarm' }>): AsyncGenerator<Figure> {
  const { nats, rounds, note } = options;
  await using rig = await startRig({ binary: nats, sync: 'always' });
  await using door = await openDoor(rig.servers);
  await using _crew = await rig.crew('loom', shape, { price: 1 });
  await using claims = claimsOf(rig.gateway);
  note(`a paid job of ${shape.width} agents`);
  const { id: parent } = await door.api.json<JobView>('POST', '/v1/jobs', { brief, budget_micros });
  await ended(door.api, parent);
  const at = (await claims.first(parent)).at;
  const seqs = await bare(rig.gateway, at);
  const from_seq = seqs[seqs.length >> 1] ?? 0;
  const fork = async (): Promise<number> => {
    const asked = performance.now();
    const { id } = await door.api.json<JobView>('POST', `/v1/jobs/${parent}/fork`, { from_seq, mode: 're-execute' });
    const claimed = await claims.first(id);
    await kill(door.api, id);
    return claimed.when - asked;
  };
  await fork();
  const pairs: { ours: Round; theirs: Round }[] = [];
  for (let i = 0; i < rounds; i++) {
    note(`fork, round ${i + 1} of ${rounds}`);
    const read = await timed(() => bare(rig.gateway, at));
    pairs.push({ theirs: { start: read.ms }, ours: { start: await fork() } });
  }
  const what = `fork at ${seqs.length >> 1} of ${seqs.length} facts`;
  yield* figures({ bench: 'replay', case: what, reference: 'bare read' }, pairs);
}

const brief = 'Look through the figures step by step until told that it is enough.';
const budget_micros = 1_000_000_000;

async function bare(log: Log, at: Address): Promise<readonly number[]> {
  const seqs: number[] = [];
  for await (const { seq } of readRaw(log, at)) seqs.push(seq);
  return seqs;
}

/** Killed, or at its end before the kill came to it, as a small fork may be. */
async function kill(api: Gateway, id: string): Promise<void> {
  await api.call('POST', `/v1/jobs/${id}/kill`).catch(async (error: unknown) => {
    if (!(await hasEnded(api, id))) throw error;
  });
  await ended(api, id);
}

/** @throws when it has not ended within two minutes */
async function ended(api: Gateway, id: string): Promise<void> {
  for (let tries = 0; tries < 1_200; tries++, await sleep(100)) if (await hasEnded(api, id)) return;
  throw new Error(`the job ${id} did not end`);
}

const hasEnded = async (api: Gateway, id: string): Promise<boolean> =>
  /^(completed|failed|refused|cancelled)$/.test((await api.job(id)).status);

interface Claim {
  readonly at: Address;
  readonly when: number;
}

interface Claims extends AsyncDisposable {
  /** The first claim of a step of this job, as it was heard of. @throws when none comes within a minute */
  first(job: string): Promise<Claim>;
}

function claimsOf(log: Log): Claims {
  const heard = new Map<string, Claim>();
  const stop = log.watch(({ tenant, stream, type }) => {
    if (type === 'step.claimed' && !heard.has(stream))
      heard.set(stream, { at: { tenant, stream }, when: performance.now() });
  });
  return {
    async first(job) {
      for (let tries = 0; tries < 6_000; tries++, await sleep(10)) {
        const claim = heard.get(job);
        if (claim !== undefined) return claim;
      }
      throw new Error(`no step of ${job} was claimed within a minute`);
    },
    [Symbol.asyncDispose]: async () => stop(),
  };
}
