import type { Agent, Artifact, Call, Job, Turn } from './state.ts';

/** What stands in both jobs, side by side; null where one of them has it not. */
export interface Pair<T> {
  readonly a: T | null;
  readonly b: T | null;
  readonly same: boolean;
}

export interface StepSide {
  readonly outcome: string;
  readonly model: string;
  readonly attempts: number;
  readonly tokens_in: number;
  readonly tokens_out: number;
  readonly cost_micros: number;
  readonly latency_ms: number;
}

export interface CallSide {
  readonly tool: string;
  readonly outcome: string;
  readonly code: string;
}

export interface FileSide {
  readonly size: number;
  readonly sha256: string;
}

export interface Total {
  readonly job: string;
  readonly outcome: string;
  readonly agents: number;
  readonly steps: number;
  readonly refusals: number;
  readonly cost_micros: number;
  readonly latency_ms: number;
}

/** Two jobs compared by the names of their slots; `steps` of `<agent>-<n>`, `calls` of `<agent>-<n>-<i>-1`. */
export interface JobDiff {
  readonly totals: { readonly a: Total; readonly b: Total };
  readonly steps: readonly (Pair<StepSide> & { readonly slot: string })[];
  readonly calls: readonly (Pair<CallSide> & { readonly slot: string })[];
  /** Calls that the policy of either job refused. */
  readonly refusals: readonly (Pair<string> & { readonly slot: string })[];
  readonly artifacts: readonly (Pair<FileSide> & { readonly path: string })[];
}

export function diffOf(a: Job, b: Job): JobDiff {
  const artifacts = pairs(files(a), files(b), ({ sha256 }) => sha256, fileSide);
  return {
    totals: { a: totalOf(a), b: totalOf(b) },
    steps: pairs(turns(a), turns(b), saidOf, stepSide).map(named('slot')),
    calls: pairs(calls(a), calls(b), gaveOf, callSide).map(named('slot')),
    refusals: pairs(refused(a), refused(b), codeOf, codeOf).map(named('slot')),
    artifacts: artifacts.map(named('path')),
  };
}

interface Named<T> extends Pair<T> {
  readonly name: string;
}

const named =
  <N extends 'slot' | 'path'>(as: N) =>
  <T>({ name, ...pair }: Named<T>) =>
    ({ [as]: name, ...pair }) as Pair<T> & { readonly [K in N]: string };

/** By name, in the order of the first job, then what the second alone has. */
function pairs<T, S>(
  a: ReadonlyMap<string, T>,
  b: ReadonlyMap<string, T>,
  essence: (one: T) => string,
  side: (one: T) => S,
): readonly Named<S>[] {
  return [...new Set([...a.keys(), ...b.keys()])].map((name) => {
    const [left, right] = [a.get(name), b.get(name)];
    const same = left !== undefined && right !== undefined && essence(left) === essence(right);
    return { name, a: left === undefined ? null : side(left), b: right === undefined ? null : side(right), same };
  });
}

const turns = (job: Job): ReadonlyMap<string, Turn> =>
  new Map([...job.agents.values()].flatMap(({ id, turns: own }) => own.map((turn) => [`${id}-${turn.n}`, turn])));
const calls = (job: Job): ReadonlyMap<string, Call> => job.calls;
const refused = (job: Job): ReadonlyMap<string, Call> =>
  new Map([...job.calls].filter(([, { where, result }]) => where === null && result?.outcome === 'refused'));
const files = (job: Job): ReadonlyMap<string, Artifact> =>
  new Map([...job.artifacts.values()].map((artifact) => [artifact.path, artifact]));

const outcomeOf = ({ attempts }: Turn): string => attempts.at(-1)?.settled?.outcome ?? 'open';
const saidOf = (turn: Turn): string =>
  JSON.stringify([outcomeOf(turn), turn.reply?.text, turn.reply?.tool_calls.map(({ name, args }) => [name, args])]);
const gaveOf = ({ name, args, result }: Call): string => JSON.stringify([name, args, result]);
const codeOf = ({ result }: Call): string => result?.code ?? '';

function stepSide(turn: Turn): StepSide {
  const settled = turn.attempts.flatMap(({ settled: one }) => one ?? []);
  const sum = (of: (one: (typeof settled)[number]) => number): number => settled.reduce((all, one) => all + of(one), 0);
  return {
    outcome: outcomeOf(turn),
    model: settled.at(-1)?.model ?? '',
    attempts: turn.attempts.length,
    tokens_in: sum((one) => one.tokens_in),
    tokens_out: sum((one) => one.tokens_out),
    cost_micros: sum((one) => one.cost_micros),
    latency_ms: sum((one) => one.latency_ms),
  };
}

const callSide = ({ name, result }: Call): CallSide => ({
  tool: name,
  outcome: result?.outcome ?? 'open',
  code: result?.code ?? '',
});
const fileSide = ({ size, sha256 }: Artifact): FileSide => ({ size, sha256 });

/** Cost and time of all steps, recorded ones of a fork included. */
function totalOf(job: Job): Total {
  const steps = [...turns(job).values()].map(stepSide);
  return {
    job: job.stream,
    outcome: job.ended?.type.replace('job.', '') ?? 'open',
    agents: [...job.agents.values()].filter(({ turns: own }: Agent) => own.length > 0).length,
    steps: steps.length,
    refusals: refused(job).size,
    cost_micros: steps.reduce((all, { cost_micros }) => all + cost_micros, 0),
    latency_ms: steps.reduce((all, { latency_ms }) => all + latency_ms, 0),
  };
}
