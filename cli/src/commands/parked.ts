/** `./loom parked`: messages that a service could not handle and steps out of tries; look at them, have them tried again, give them up. */
import type { Log } from '@loom/log';
import type { Command } from 'commander';
import { userInfo } from 'node:os';
import { Failure } from '../failure.ts';
import type { Output } from '../output.ts';
import type * as shelves from '../parked/all.ts';
import type { Past, Thing } from '../parked/thing.ts';
import { homeOf } from '../root.ts';
import { act, type Register } from './command.ts';

interface Choice {
  readonly tenant?: string;
  readonly consumer?: string;
  readonly kind?: string;
  readonly all?: boolean;
}

interface Act extends Choice {
  readonly reason?: string;
}

type Shelf = typeof shelves;

/** The log as its operator reaches it, and the ways to look up what is parked in it. */
async function withLog<T>(work: (log: Log, shelf: Shelf) => Promise<T>): Promise<T> {
  const [{ operatorOn }, shelf] = await Promise.all([import('../check/stack.ts'), import('../parked/all.ts')]);
  await using log: Log = (await operatorOn(homeOf(process.env), false)).log;
  return await work(log, shelf);
}

/** @throws Failure 2 for a kind that there is not */
function chosen<P extends Past>(all: readonly P[], { tenant, consumer, kind }: Choice): readonly P[] {
  if (![undefined, 'message', 'step'].includes(kind))
    throw new Failure(2, `there is no kind ${kind}`, ['--kind message', '--kind step']);
  const fits = (wanted: string | undefined, found: string): boolean => wanted === undefined || wanted === found;
  return all.filter((one) => fits(tenant, one.at.tenant) && fits(consumer, one.consumer) && fits(kind, one.kind));
}

/** @throws Failure 1 for a key that nothing is parked under */
async function byKey(log: Log, { parkedUnder }: Shelf, key: string): Promise<Thing> {
  const found = await parkedUnder(log, key);
  if (found === undefined)
    throw new Failure(1, `nothing is parked under ${key}`, ['./loom parked ls --all lists the keys']);
  return found;
}

async function list(options: Choice, out: Output): Promise<void> {
  const found = await withLog((log, { everythingParked }) => everythingParked(log, options.all === true, out));
  const things = chosen(found.things, options);
  const shown = options.all ? things : things.filter(({ state }) => state === 'parked');
  for (const one of shown) {
    out.record(one.record);
    out.print(one.line);
  }
  const others = things.length - shown.length + chosen(found.past, options).length;
  if (others > 0) out.note(`${others} redriven or dropped: --all shows them`);
  if (shown.length === 0) out.note('nothing is parked');
}

const show = (key: string, out: Output): Promise<void> =>
  withLog(async (log, shelf) => {
    const one = await byKey(log, shelf, key);
    out.print(one.line);
    await one.show(out);
  });

/** Who is at the keyboard, as far as the machine knows. */
const person = (): string => userInfo().username;

async function redriveAll(keys: readonly string[], options: Act, out: Output): Promise<void> {
  if (keys.length > 0 === (options.all === true))
    throw new Failure(2, 'name keys, or say --all', ['./loom parked ls lists them']);
  await withLog(async (log, shelf) => {
    const wanted = options.all
      ? chosen((await shelf.everythingParked(log, false, out)).things, options).filter(
          ({ state }) => state === 'parked',
        )
      : await Promise.all(keys.map((key) => byKey(log, shelf, key)));
    const task = out.task('redrive');
    for (const [i, one] of wanted.entries()) {
      await redriveOne(one, options.reason ?? '', out);
      task.at((i + 1) / wanted.length, `${i + 1} of ${wanted.length}`);
    }
    task.done(`${wanted.length} looked at`);
  });
}

async function redriveOne(one: Thing, reason: string, out: Output): Promise<void> {
  const { key, consumer } = one;
  const seq = await one.redrive({ person: person(), reason });
  const before = one.state === 'redriven';
  out.record({ key, redriven: seq, before });
  if (before) out.print(`${key}  was handed to ${consumer} at ${seq} and has not failed since: not handed again`);
  else out.print(`${key}  handed to ${consumer} again, at ${seq}`);
}

async function dropOne(key: string, { reason = '' }: Act, out: Output): Promise<void> {
  if (reason.trim() === '') throw new Failure(2, 'give a reason: it stays in the log', ['--reason "a trial of ours"']);
  await withLog(async (log, shelf) => {
    const seq = await (await byKey(log, shelf, key)).drop({ person: person(), reason });
    out.record({ key, dropped: seq });
    out.print(`${key}  dropped, at ${seq}`);
  });
}

const listCommand = (parent: Command): Command =>
  act<Choice>(
    parent
      .command('ls', { isDefault: true })
      .description('what is parked, the oldest first')
      .option('--tenant <name>', 'of this tenant alone')
      .option('--consumer <name>', 'of this service alone')
      .option('--kind <kind>', 'message or step alone')
      .option('--all', 'also what was redriven or dropped'),
    ['./loom parked ls', './loom parked ls --kind step', './loom parked ls --consumer billing --json'],
    ({ options, out }) => list(options, out),
  );

const showCommand = (parent: Command): Command =>
  act(
    parent
      .command('show')
      .description(
        'a message as it lies in the log, or the attempts at a step: why it failed, clear fields; never content',
      )
      .argument('<key>', 'as ls shows it'),
    ['./loom parked show billing-loom_events_0_1-17', './loom parked show job_0…/a1-2-5'],
    ({ args, out }) => show(args[0] ?? '', out),
  );

const redriveCommand = (parent: Command): Command =>
  act<Act>(
    parent
      .command('redrive')
      .description('has it tried again, once for each failure; do so once the cause is mended')
      .argument('[keys...]', 'as ls shows them')
      .option('--all', 'whatever is parked')
      .option('--tenant <name>', 'with --all: of this tenant alone')
      .option('--consumer <name>', 'with --all: of this service alone')
      .option('--kind <kind>', 'with --all: message or step alone')
      .option('--reason <words>', 'why; stays in the log in the clear, so no content'),
    [
      './loom parked redrive billing-loom_events_0_1-17',
      './loom parked redrive --all --consumer billing --reason "release 0.2"',
      './loom parked redrive --all --kind step --reason "the provider is back"',
    ],
    ({ args, options, out }) => redriveAll(args, options, out),
  );

const dropCommand = (parent: Command): Command =>
  act<Act>(
    parent
      .command('drop')
      .description('gives it up for good: it stays in the log with the reason, and the agent of a step fails')
      .argument('<key>', 'as ls shows it')
      .option('--reason <words>', 'why; stays in the log in the clear, so no content'),
    ['./loom parked drop audit-loom_events_0_2-9 --reason "noise of a trial"'],
    ({ args, options, out }) => dropOne(args[0] ?? '', options, out),
  );

const help = `
A message that a service cannot read, or failed at five times, is parked: nothing is lost, and its queue goes on.
A step whose attempts failed until none was left (a provider away, busy or silent) is parked too: its agent waits, for a day
unless LOOM_PARKED_MS says otherwise, and then fails. A redrive is one attempt more, on a reservation of its own.
Mend the cause first, then redrive; each failure allows one redrive, so doing it twice does nothing twice.

Examples:
  $ ./loom parked
  $ ./loom parked show billing-loom_events_0_1-17
  $ ./loom parked redrive --all --consumer billing --reason "release 0.2"
  $ ./loom parked redrive --all --kind step --reason "the provider is back"
  $ ./loom parked drop audit-loom_events_0_2-9 --reason "noise of a trial"`;

export const parkedCommand: Register = (program) => {
  const parent = program
    .command('parked')
    .description('messages that a service could not handle, and steps out of tries: ls, show, redrive, drop');
  parent.addHelpText('after', help);
  for (const add of [listCommand, showCommand, redriveCommand, dropCommand]) add(parent);
};
