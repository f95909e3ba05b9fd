/**
 * Owns one Loom under trial: real processes, an emulated provider with a ledger of its own, and the sandbox's ledger, both outside of Loom.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { stack, type Stack } from '@loom/test';
import { anthropicEmulator } from '../../test/emulators/anthropic.ts';
import type { Emulator, Script } from '../../test/emulators/script.ts';
import type { Control } from './controls.ts';
import { doorOf, type Door } from './door.ts';
import { Faults } from './faults.ts';
import { randomOf, type Random } from './random.ts';
import { chaosScript } from './script.ts';

export interface RigOptions {
  readonly seed: number;
  /** Replicas by service; two of orchestrator, agent-runner, sandbox and gateway by default. */
  readonly replicas?: Readonly<Record<string, number>>;
  readonly control?: Control;
  /** Part of all reads that miss the newest facts; default 0.15. */
  readonly stale?: number;
  /** Part of all model calls that fail; default 0.1. */
  readonly mishaps?: number;
  /** What the model says; default the chaos script. */
  readonly script?: Script;
  /** Real containers; default true. */
  readonly sandbox?: boolean;
  readonly env?: Readonly<Record<string, string>>;
}

export interface Rig extends AsyncDisposable {
  readonly options: RigOptions;
  readonly random: Random;
  readonly stack: Stack;
  readonly model: Emulator;
  readonly door: Door;
  readonly faults: Faults;
  /** Jobs that were submitted. */
  readonly jobs: Set<string>;
  runs(): Promise<readonly { readonly job: string; readonly call: string }[]>;
}

/** Whose jobs they are. */
export const tenant = 'chaos';

/** Ms until an unacked message comes again: short, so that redeliveries are many. */
export const ackWait = 2_000;

const preload = new URL('./preload.ts', import.meta.url).href;

/** Short clocks: what stands for minutes takes seconds. One call in hand a worker, so that one kill wastes one call at most. */
const clocks = {
  LOOM_STEP_DEADLINE_MS: '5000',
  LOOM_TOOL_DEADLINE_MS: '8000',
  LOOM_SWEEP_MS: '600000',
  LOOM_RUNNER_WIDTH: '1',
  LOOM_SANDBOX_WIDTH: '1',
  LOOM_SANDBOX_POOL_SIZE: '0',
  LOOM_MAX_ATTEMPTS: '12',
  LOOM_MAX_OUTPUT_TOKENS: '1000',
  LOOM_RATE_LIMIT: '1000000',
};

export async function startRig(options: RigOptions): Promise<Rig> {
  const { seed, control, stale = 0.15, mishaps = 0.1, sandbox = true } = options;
  const random = randomOf(seed);
  await using owned = new AsyncDisposableStack();
  const model = owned.use(
    await anthropicEmulator({ script: options.script ?? chaosScript(randomOf(seed + 1), mishaps) }),
  );
  const ledger = join(await scratch(owned), 'runs.jsonl');
  const env = {
    ANTHROPIC_BASE_URL: model.url,
    ANTHROPIC_API_KEY: 'test',
    ...clocks,
    LOOM_CHAOS_SEED: String(seed),
    LOOM_CHAOS_STALE: String(stale),
    LOOM_CHAOS_RUNS: ledger,
    ...(control === undefined ? {} : { LOOM_CHAOS_CONTROL: control }),
    ...options.env,
  };
  const replicas = { orchestrator: 2, 'agent-runner': 2, sandbox: 2, gateway: 2, ...options.replicas };
  const system = owned.use(await stack({ split: true, sandbox, replicas, ackWait, preload, env }));
  const kept = owned.move();
  return {
    options,
    random,
    stack: system,
    model,
    door: doorOf({ urls: system.urls, token: () => system.token({ tenant }) }),
    faults: new Faults(system, random),
    jobs: new Set(),
    runs: async () => (await lines(ledger)).map((line) => JSON.parse(line) as { job: string; call: string }),
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  };
}

async function scratch(owned: AsyncDisposableStack): Promise<string> {
  const { mkdtemp, rm } = await import('node:fs/promises');
  const { tmpdir } = await import('node:os');
  const dir = await mkdtemp(join(tmpdir(), 'loom-chaos-'));
  owned.defer(() => rm(dir, { recursive: true, force: true }));
  return dir;
}

async function lines(file: string): Promise<readonly string[]> {
  const text = await readFile(file, 'utf8').catch(() => '');
  return text.split('\n').filter((line) => line !== '');
}
