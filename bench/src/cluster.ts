/** Three servers that each keep everything (R3, fsynced) beside one (R1, fsynced), in the same run. */
import type { Log } from '@loom/log';
import { figures, type Figure, type Round } from './figures.ts';
import type { BenchOptions } from './pingpong.ts';
import type { Shape } from './protocol.ts';
import { runLoops, startRig, type Rig } from './rig.ts';

const inFlight = 64;
const appendsARound = 3000;
const shape: Shape = { kind: 'pingpong', steps: 40 };

export async function* cluster(options: BenchOptions): AsyncGenerator<Figure> {
  options.note('starting one server, and three as a cluster');
  await using one = await startRig({ binary: options.nats, sync: 'always' });
  await using three = await startRig({ binary: options.nats, sync: 'always', size: 3 });
  const pairs = { appends: [] as Pair[], single: [] as Pair[], many: [] as Pair[] };
  for (let i = 0; i < options.rounds; i++) {
    options.note(`round ${i + 1} of ${options.rounds}`);
    pairs.appends.push({ theirs: await appends(one.gateway), ours: await appends(three.gateway) });
    pairs.single.push({ theirs: await stepsOn(one, 25, false), ours: await stepsOn(three, 25, false) });
    pairs.many.push({ theirs: await stepsOn(one, 100, true), ours: await stepsOn(three, 100, true) });
  }
  const name = (what: string) => ({ bench: 'cluster', case: `R3, ${what}`, reference: 'R1' });
  yield* figures(name(`${inFlight} appends in flight`), pairs.appends);
  yield* figures(name('1 job'), pairs.single);
  yield* figures(name('100 jobs'), pairs.many);
}

interface Pair {
  readonly ours: Round;
  readonly theirs: Round;
}

let made = 0;

/** Unique appends of small facts of the gateway, over all streams. */
async function appends(log: Log): Promise<Round> {
  const request = { action: 'GET /v1/jobs', target: '', person: 'bench', ip: '127.0.0.1', user_agent: 'bench' };
  const body = { outcome: 'done', request } as const;
  const one = (i: number): Promise<unknown> =>
    log.append({ tenant: `t${i % 64}`, stream: 'account' }, { type: 'request.recorded', key: `b${i}`, body });
  let left = appendsARound;
  const lane = async (): Promise<void> => {
    while (left-- > 0) await one(++made);
  };
  const began = performance.now();
  await Promise.all(Array.from({ length: inFlight }, lane));
  return { appends: appendsARound / ((performance.now() - began) / 1000) };
}

async function stepsOn(rig: Rig, count: number, together: boolean): Promise<Round> {
  await using crew = await rig.crew('loom', shape);
  await runLoops(rig, 'loom', crew, { count: 100, together: true });
  const { rate, p50, p99 } = await runLoops(rig, 'loom', crew, { count, together });
  return { steps: rate, p50, p99 };
}
