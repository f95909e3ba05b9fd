/**
 * Loaded before a service by chaos alone. Owns the edits of this process and the functions that they call.
 * LOOM_CHAOS_CONTROL names a control build, LOOM_CHAOS_STALE the part of all reads that miss what is newest,
 * LOOM_CHAOS_RUNS the file of the sandbox's ledger, LOOM_CHAOS_LEASES=short leases that soon run out, LOOM_CHAOS_LIFE the life of this
 * process, which is written into the file LOOM_CHAOS_DEATHS when it ends at its crash point; LOOM_CHAOS_CLOCK is told in `shifted-clock.ts`.
 */
import { appendFileSync } from 'node:fs';
import { registerHooks } from 'node:module';
import { controls, edited, runLedger, shortLeases, staleReads, type Control, type Edit } from './controls.ts';
import { randomOf } from './random.ts';
import './shifted-clock.ts';

const { LOOM_CHAOS_CONTROL: control = '', LOOM_CHAOS_STALE: stale = '0', LOOM_CHAOS_RUNS: runs = '' } = process.env;
const { LOOM_CHAOS_LEASES: leases = '', LOOM_CHAOS_LIFE: life = '', LOOM_CHAOS_DEATHS: deaths = '' } = process.env;
const random = randomOf(Number(process.env['LOOM_CHAOS_SEED'] ?? 0) + process.pid);

/** Of `@loom/log`, by its shape. */
interface Block {
  readonly constructor: new (pairs: Block['pairs']) => Block;
  readonly pairs: readonly (readonly [string, string])[];
}

interface Settled {
  readonly type: string;
  readonly key: string;
  readonly body: { readonly outcome?: string };
}

interface Stamped {
  readonly headers: Block;
}

const hooks = {
  /** Headers of an append that expects nothing. */
  unexpecting: <T extends Stamped>(stamped: T): T => {
    const { constructor, pairs } = stamped.headers;
    return { ...stamped, headers: new constructor(pairs.filter(([name]) => !name.startsWith('Nats-Expected-'))) };
  },
  /** A read as a lagging replica would answer it: the newest one to three are missing. */
  async *stale<T>(facts: AsyncIterable<T>): AsyncGenerator<T> {
    if (!random.chance(Number(stale))) return yield* facts;
    const all = await Array.fromAsync(facts);
    yield* all.slice(0, Math.max(0, all.length - 1 - random.below(3)));
  },
  ran: (job: string, call: string): void => appendFileSync(runs, `${JSON.stringify({ job, call })}\n`),
  keyedByOutcome: (draft: Settled): Settled =>
    draft.type.endsWith('.settled') && draft.body.outcome !== 'completed'
      ? { ...draft, key: `${draft.key}-${draft.body.outcome}` }
      : draft,
};
Object.assign(globalThis, { loomChaos: hooks });

const isControl = (name: string): name is Control => Object.hasOwn(controls, name);
if (control !== '' && !isControl(control)) throw new RangeError(`there is no control build ${control}`);
const edits: readonly Edit[] = [
  ...(isControl(control) ? controls[control] : []),
  ...(Number(stale) > 0 ? [staleReads] : []),
  ...(runs === '' ? [] : [runLedger]),
  ...(leases === 'short' ? shortLeases : []),
];

/** A crash point ends its own process: that it was met is on file before it does. */
const kill = process.kill.bind(process);
process.kill = (pid, signal) => {
  if (life !== '' && pid === process.pid && signal === 'SIGKILL') appendFileSync(deaths, `${life}\n`);
  return kill(pid, signal);
};

registerHooks({
  load(url, context, next) {
    const mine = edits.filter(({ file }) => url.endsWith(`/${file}`));
    const loaded = next(url, context);
    if (mine.length === 0 || loaded.source === undefined || loaded.source === null) return loaded;
    const source =
      typeof loaded.source === 'string' ? loaded.source : Buffer.from(loaded.source as Uint8Array).toString();
    return { ...loaded, source: edited(source, mine) };
  },
});
