/** `./loom fork` and `./loom diff`: counterfactual runs, and what became of them. */
import type { JobDiff, JobView } from '@loom/job';
import { readFile } from 'node:fs/promises';
import { budgetOf } from '../client/budget.ts';
import { follow } from '../client/follow.ts';
import { dollars } from '../client/swarm.ts';
import { Failure } from '../failure.ts';
import type { Output } from '../output.ts';
import { act, type Register } from './command.ts';

interface ForkOptions {
  readonly from: string;
  readonly playback?: boolean;
  readonly model?: string;
  readonly budget?: string;
  readonly brief?: string;
}

const seqOf = (text: string): number => {
  if (/^[1-9]\d{0,14}$/.test(text)) return Number(text);
  throw new Failure(2, `--from takes a sequence of the log, not ${text}`, ['./loom events --job JOB shows them']);
};

/** What is to be otherwise than in the parent. @throws Failure 2 */
async function overridesOf({ model, budget, brief, playback }: ForkOptions): Promise<object | undefined> {
  const budget_micros = budgetOf(budget);
  const models = model === undefined ? undefined : { planner: model, worker: model, writer: model };
  const text = brief === undefined ? undefined : await readFile(brief, 'utf8').catch(unreadable(brief));
  if (budget_micros === undefined && models === undefined && text === undefined) return undefined;
  if (playback) throw new Failure(2, 'a playback repeats what was recorded: leave --model, --budget and --brief out');
  return { budget_micros, models, brief: text };
}

const unreadable = (file: string) => (cause: unknown) => {
  throw new Failure(2, `the brief ${file} cannot be read`, [], { cause });
};

async function fork(parent: string, options: ForkOptions, out: Output): Promise<void> {
  const from_seq = seqOf(options.from);
  const overrides = await overridesOf(options);
  const mode = options.playback ? 'playback' : 're-execute';
  const { reach } = await import('../client/access.ts');
  const { gateway } = await reach();
  const body = { from_seq, mode, ...(overrides && { overrides }) };
  const { id } = await gateway.json<JobView>('POST', `/v1/jobs/${parent}/fork`, body);
  out.note(`${id}: ${mode} of ${parent} from ${from_seq}`);
  const job = await follow(gateway, id, out, { approve: 'ask', signal: new AbortController().signal });
  const { status, spent_micros, recorded_micros = 0 } = job;
  out.record({ job: id, forked_from: parent, from_seq, mode, status, spent_micros, recorded_micros });
  out.print(`${id} ${status}: ${dollars(spent_micros)} spent, ${dollars(recorded_micros)} on record`);
  out.note(`./loom diff ${parent} ${id} compares them`);
}

type Diff = Omit<JobDiff, 'artifacts'> & {
  readonly artifacts: readonly (JobDiff['artifacts'][number] & { readonly text?: string })[];
};

async function diff(a: string, b: string, out: Output): Promise<void> {
  const { reach } = await import('../client/access.ts');
  const { gateway } = await reach();
  const found = await gateway.json<Diff>('GET', `/v1/jobs/${a}/diff/${b}`);
  out.record(found);
  for (const side of [found.totals.a, found.totals.b])
    out.print(
      `${side.job}  ${side.outcome.padEnd(9)} ${side.agents} agents, ${side.steps} steps, ${side.refusals} refusals, ${dollars(side.cost_micros)}, ${side.latency_ms} ms`,
    );
  tellRows(
    'steps',
    found.steps,
    ({ outcome, model, cost_micros }) => `${outcome} ${model} ${dollars(cost_micros)}`,
    out,
  );
  tellRows('calls', found.calls, ({ tool, outcome, code }) => `${tool} ${outcome} ${code}`.trim(), out);
  tellRows('refusals', found.refusals, (code) => code, out);
  const files = found.artifacts.map(({ path, ...row }) => ({ slot: path, ...row }));
  tellRows('files', files, ({ size, sha256 }) => `${size} bytes ${sha256.slice(0, 12)}`, out);
  for (const { text } of found.artifacts) if (text !== undefined) out.print(text.trimEnd());
}

interface Row<T> {
  readonly slot: string;
  readonly a: T | null;
  readonly b: T | null;
  readonly same: boolean;
}

/** How many are the same, and those that are not. */
function tellRows<T>(what: string, rows: readonly Row<T>[], tell: (side: T) => string, out: Output): void {
  const others = rows.filter(({ same }) => !same);
  out.print(`${what.padEnd(9)} ${rows.length - others.length} the same, ${others.length} not`);
  const side = (one: T | null): string => (one === null ? '—' : tell(one));
  for (const { slot, a, b } of others) out.print(`  ${slot.padEnd(12)} ${side(a)}  →  ${side(b)}`);
}

export const forkCommand: Register = (program) => {
  const command = program
    .command('fork')
    .description(
      'a new job that begins where another stood at a fact: run on from there, or play back what was recorded',
    )
    .argument('<job>', 'the parent')
    .requiredOption('--from <seq>', 'the fact up to which both are the same, by its sequence')
    .option('--playback', 'serve what was recorded, at no cost, acting on nothing')
    .option('--model <model>', 'another model for every role')
    .option('--budget <dollars>', 'most that the fork may spend by itself')
    .option('--brief <file>', 'another brief');
  const examples = [
    './loom fork job_0… --from 42 --playback',
    './loom fork job_0… --from 42 --model claude-haiku-4-5 --budget 1',
  ];
  act<ForkOptions>(command, examples, ({ args, options, out }) => fork(args[0] ?? '', options, out));
};

export const diffCommand: Register = (program) => {
  const command = program
    .command('diff')
    .description('two jobs side by side: steps, outcomes, files, cost, latency, refusals')
    .argument('<a>', 'a job')
    .argument('<b>', 'another, say a fork of it');
  act(command, ['./loom diff job_0… job_0…', './loom diff job_0… job_0… --json'], ({ args, out }) =>
    diff(args[0] ?? '', args[1] ?? '', out),
  );
};
