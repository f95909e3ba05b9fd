/** A rig nothing of which is killed: its services' clocks can be set, and what their consumers are sent comes in disorder. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Asked, Script } from '../../test/emulators/script.ts';
import { clocksIn, type Clocks } from './clocks.ts';
import { disorderBefore, type Disorder } from './deliveries.ts';
import { randomOf } from './random.ts';
import { startRig, type Rig, type RigOptions } from './rig.ts';
import { chaosScript } from './script.ts';

export interface Unsteady extends AsyncDisposable {
  readonly rig: Rig;
  readonly clocks: Clocks;
  readonly disorder: Disorder;
}

/** One replica each: with two, what one of them is not handed the other would do. */
const replicas = { orchestrator: 1, 'agent-runner': 1, sandbox: 1, gateway: 1 };

/** Nothing is killed, so no deadline has to pass: a machine that is held back for seconds must not lose a slot. Clocks go further ahead than these. */
const deadlines = { LOOM_STEP_DEADLINE_MS: '60000', LOOM_TOOL_DEADLINE_MS: '60000' };

/** Where the clock is put forward and back within a year, for the day on which it is. */
export const zone = 'Europe/Berlin';

export async function startUnsteady(options: Pick<RigOptions, 'seed' | 'env'>): Promise<Unsteady> {
  await using owned = new AsyncDisposableStack();
  const dir = await mkdtemp(join(tmpdir(), 'loom-clocks-'));
  owned.defer(() => rm(dir, { recursive: true, force: true }));
  const file = join(dir, 'clocks.json');
  const clocks = await clocksIn(file);
  let disorder: Disorder | null = null;
  const between = async (natsUrl: string): Promise<string> => (disorder = owned.use(await disorderBefore(natsUrl))).url;
  const env = { LOOM_CHAOS_CLOCK: file, TZ: zone, LOOM_RUNNER_WIDTH: '8', ...deadlines, ...options.env };
  const script = waiting(chaosScript(randomOf(options.seed), 0));
  const rig = owned.use(await startRig({ ...options, stale: 0, replicas, script, env, between }));
  if (disorder === null) throw new Error('the rig put nothing between');
  const kept = owned.move();
  return { rig, clocks, disorder, [Symbol.asyncDispose]: () => kept.disposeAsync() };
}

/** In a brief: the first call of its job is put off for a second, so that the job waits for a timer. */
export const waitWord = 'WAIT';

const heard = ({ turns }: Asked): string =>
  turns.flatMap((turn) => (turn.role === 'user' ? [turn.text] : [])).join('\n');

function waiting(script: Script): Script {
  const met = new Set<string>();
  return (asked, call) => {
    const [job, wait] = /Job \d+\.( WAIT\b)?/.exec(heard(asked)) ?? [];
    if (job === undefined || wait === undefined || met.has(job)) return script(asked, call);
    met.add(job);
    return { fault: 'rate_limited', retryAfterSeconds: 1 };
  };
}
