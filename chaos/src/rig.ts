/**
 * Owns one Loom under trial: real processes, an emulated provider with a ledger of its own, and the sandbox's ledger, both outside of Loom.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { stack, type Stack, type StackOptions } from '@loom/test';
import pg from 'pg';
import { anthropicEmulator } from '../../test/emulators/anthropic.ts';
import type { Emulator, Script } from '../../test/emulators/script.ts';
import { leaseMs, type Control } from './controls.ts';
import { doorOf, type Door } from './door.ts';
import { Faults } from './faults.ts';
import { logAs } from './logs.ts';
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
  /** Leases run out after 2 s, not after 5. */
  readonly shortLeases?: boolean;
  readonly env?: Readonly<Record<string, string>>;
  /** What is put between services and the log. */
  readonly between?: NonNullable<StackOptions['between']>;
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
  /** Those of them that were seen to have ended. */
  readonly ended: Set<string>;
  runs(): Promise<readonly { readonly job: string; readonly call: string }[]>;
}

/** Whose jobs they are. */
export const tenant = 'chaos';

/** Ms until an unacked message comes again: short, so that redeliveries are many. */
export const ackWait = 1_000;

const preload = new URL('./preload.ts', import.meta.url).href;

/** How often each orchestrator looks at every open job, leases or not: against each other, or so seldom that nothing but triggers moves a job. */
export const sweeps = { often: { LOOM_SWEEP_MS: '500' }, seldom: { LOOM_SWEEP_MS: '600000' } } as const;

/** Short clocks: what stands for minutes takes seconds. One call in hand a worker, so that one kill wastes one call at most. */
const clocks = {
  LOOM_STEP_DEADLINE_MS: '5000',
  LOOM_TOOL_DEADLINE_MS: '8000',
  ...sweeps.seldom,
  LOOM_RUNNER_WIDTH: '1',
  LOOM_SANDBOX_WIDTH: '1',
  LOOM_SANDBOX_POOL_SIZE: '0',
  LOOM_MAX_ATTEMPTS: '12',
  LOOM_PARKED_MS: '1000',
  LOOM_MAX_OUTPUT_TOKENS: '1000',
  LOOM_RATE_LIMIT: '1000000',
};

export async function startRig(options: RigOptions): Promise<Rig> {
  const { seed, mishaps = 0.1, sandbox = true, shortLeases = false, between } = options;
  const random = randomOf(seed);
  await using owned = new AsyncDisposableStack();
  const script = options.script ?? chaosScript(randomOf(seed + 1), mishaps);
  const model = owned.use(await anthropicEmulator({ script }));
  const dir = await scratch(owned);
  const replicas = { orchestrator: 2, 'agent-runner': 2, sandbox: 2, gateway: 2, ...options.replicas };
  const env = environmentOf(options, model, dir);
  const more = between === undefined ? {} : { between };
  const system = owned.use(await stack({ split: true, sandbox, replicas, ackWait, preload, env, ...more }));
  await commitForGood(system);
  if (shortLeases) await shortenLeases(system);
  const kept = owned.move();
  return {
    options,
    random,
    stack: system,
    model,
    door: doorOf({ urls: system.urls, token: () => system.token({ tenant }) }),
    faults: new Faults(system, random, () => lines(join(dir, deaths))),
    jobs: new Set(),
    ended: new Set(),
    runs: async () => (await lines(join(dir, runs))).map((line) => JSON.parse(line) as { job: string; call: string }),
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  };
}

/** Books that the processes write themselves. */
const [runs, deaths] = ['runs.jsonl', 'deaths'];

function environmentOf({ seed, control, stale = 0.15, shortLeases, env }: RigOptions, model: Emulator, dir: string) {
  return {
    ANTHROPIC_BASE_URL: model.url,
    ANTHROPIC_API_KEY: 'test',
    ...clocks,
    NODE_COMPILE_CACHE: process.env['NODE_COMPILE_CACHE'] ?? join(dir, 'compiled'),
    LOOM_CHAOS_SEED: String(seed),
    LOOM_CHAOS_STALE: String(stale),
    LOOM_CHAOS_RUNS: join(dir, runs),
    LOOM_CHAOS_DEATHS: join(dir, deaths),
    ...(shortLeases === true ? { LOOM_CHAOS_LEASES: 'short' } : {}),
    ...(control === undefined ? {} : { LOOM_CHAOS_CONTROL: control }),
    ...env,
  };
}

/** The bucket's entries live as long as the processes think that they do. */
async function shortenLeases(system: Stack): Promise<void> {
  await using log = await logAs(system, 'setup');
  const ask = async (api: string, body: object): Promise<{ config: object; error?: object }> =>
    (await log.connection.request(`$JS.API.STREAM.${api}.KV_loom_leases`, JSON.stringify(body))).json();
  const age = leaseMs * 1_000_000;
  const { config } = await ask('INFO', {});
  const { error } = await ask('UPDATE', { ...config, max_age: age, duplicate_window: age });
  if (error !== undefined) throw new Error(`leases cannot be shortened: ${JSON.stringify(error)}`);
}

/**
 * A commit that was answered survives a kill -9. Tests run a Postgres that answers sooner; a killed one would then have lost rows whose facts
 * were acked already, as no real one does. Sessions that are open know nothing of it: they are ended.
 */
async function commitForGood({ postgresUrl }: Stack): Promise<void> {
  const client = new pg.Client({ connectionString: postgresUrl });
  await client.connect();
  try {
    await client.query('alter database postgres set synchronous_commit = on');
    await client.query(
      'select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()',
    );
  } finally {
    await client.end();
  }
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
