/** Loom's step loop beside the same loop over bare JetStream, on the same server, in the same run. */
import { figures, type Figure, type Round } from './figures.ts';
import type { Shape, Work } from './protocol.ts';
import type { Ran } from './crew.ts';
import { runLoops, startRig, type Rig } from './rig.ts';
import type { Sync } from './server.ts';

export interface BenchOptions {
  /** Path of nats-server. */
  readonly nats: string;
  /** At least 3. */
  readonly rounds: number;
  /** What is being done, for people. */
  readonly note: (what: string) => void;
}

interface Case {
  readonly name: string;
  readonly shape: Shape;
  readonly count: number;
  readonly together: boolean;
  readonly layout: 'together' | 'apart';
  /** Shown beside this: a free model without claims, instead of the raw loop. */
  readonly price?: number;
  /** What is held against the raw loop, where it is not Loom. Its jobs are nobody's: it comes last on a log. */
  readonly side?: 'log';
}

const steps: Shape = { kind: 'pingpong', steps: 40 };
const fan: Shape = { kind: 'fanout', width: 20 };

const cases: readonly Case[] = [
  { name: '1 job', shape: steps, count: 15, together: false, layout: 'together' },
  { name: '100 jobs', shape: steps, count: 100, together: true, layout: 'together' },
  { name: '1 job, two processes', shape: steps, count: 15, together: false, layout: 'apart' },
  { name: '100 jobs, two processes', shape: steps, count: 100, together: true, layout: 'apart' },
  { name: 'fan-out of 20 and join', shape: fan, count: 20, together: false, layout: 'together' },
  { name: '1 job with claims', shape: steps, count: 15, together: false, layout: 'together', price: 1 },
  { name: '1 job, the log alone', shape: steps, count: 15, together: false, layout: 'together', side: 'log' },
  { name: '100 jobs, the log alone', shape: steps, count: 100, together: true, layout: 'together', side: 'log' },
];

export async function* pingpong(options: BenchOptions): AsyncGenerator<Figure> {
  for (const sync of ['always', 'default'] as const) {
    await using rig = await startRig({ binary: options.nats, sync });
    for (const one of cases) {
      if (one.layout === 'apart' && sync === 'default') continue;
      options.note(`${one.name}, sync_interval ${sync}`);
      yield* await compare(rig, one, sync, options.rounds);
    }
  }
  options.note('memory');
  yield* await memory(options);
}

async function compare(rig: Rig, one: Case, sync: Sync, rounds: number): Promise<Figure[]> {
  const pairs: { ours: Round; theirs: Round }[] = [];
  for (let i = 0; i < rounds; i++) {
    const theirs = await once(rig, one, one.price === undefined ? 'raw' : 'loom', 0);
    const ours = await once(rig, one, one.side ?? 'loom', one.price ?? 0);
    pairs.push({ ours: roundOf(one, ours), theirs: roundOf(one, theirs) });
  }
  const reference = one.price === undefined ? 'raw JetStream' : 'without claims';
  return figures({ bench: 'pingpong', case: `${one.name}, sync ${sync}`, reference }, pairs);
}

/** Loops that warm a process up and are not counted: its code is compiled by then, as in a process that has run for a while. */
const warmUp = ({ shape }: Case): number => (shape.kind === 'pingpong' ? 50 : 20);

async function once(rig: Rig, one: Case, side: Work['side'], price: number): Promise<Ran> {
  await using crew = await rig.crew(side, one.shape, { layout: one.layout, price });
  const { count, together } = one;
  await runLoops(rig, side, crew, { count: warmUp(one), together: true });
  return await runLoops(rig, side, crew, { count, together });
}

const roundOf = ({ shape, count }: Case, { rate, p50, p99, cpu }: Ran): Round =>
  shape.kind === 'pingpong' ? { steps: rate, p50, p99, cpu: cpu / (count * shape.steps) } : { p50, p99 };

/** Worker and server together after the same 100 loops, each side on a server of its own. */
async function memory({ nats, rounds }: BenchOptions): Promise<Figure[]> {
  const one = { name: '100 jobs', shape: steps, count: 100, together: true, layout: 'together' } as const;
  const side = async (which: Work['side']): Promise<Round> => {
    await using rig = await startRig({ binary: nats, sync: 'always' });
    await using crew = await rig.crew(which, one.shape);
    const ran = await runLoops(rig, which, crew, { count: one.count, together: true });
    return { memory: ran.memory + (await rig.servers.memory()) };
  };
  const pairs: { ours: Round; theirs: Round }[] = [];
  for (let i = 0; i < rounds; i++) pairs.push({ theirs: await side('raw'), ours: await side('loom') });
  return figures({ bench: 'pingpong', case: 'worker and server, 100 jobs', reference: 'raw JetStream' }, pairs);
}
