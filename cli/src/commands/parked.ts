/** `./loom parked`: messages that a service could not handle; look at them, hand them over again, give them up. */
import { drop, messageOf, parkedMessages, redrive, type Log, type Parked } from '@loom/log';
import { LoomError } from '@loom/service';
import type { Command } from 'commander';
import { userInfo } from 'node:os';
import { Failure } from '../failure.ts';
import type { Output } from '../output.ts';
import { homeOf } from '../root.ts';
import { act, type Register } from './command.ts';
import { tellMessage } from './parked-show.ts';

interface Choice {
  readonly tenant?: string;
  readonly consumer?: string;
  readonly all?: boolean;
}

interface Redress extends Choice {
  readonly reason?: string;
}

async function withLog<T>(work: (log: Log) => Promise<T>): Promise<T> {
  const { operatorOn } = await import('../check/stack.ts');
  await using log = (await operatorOn(homeOf(process.env), false)).log;
  return await work(log);
}

const chosen = (all: readonly Parked[], { tenant, consumer }: Choice): readonly Parked[] =>
  all.filter((one) => [undefined, one.at.tenant].includes(tenant) && [undefined, one.consumer].includes(consumer));

/** @throws Failure 1 for a key that nothing is parked under */
function byKey(all: readonly Parked[], key: string): Parked {
  const found = all.find((one) => one.key === key);
  if (found === undefined)
    throw new Failure(1, `nothing was ever parked under ${key}`, ['./loom parked ls --all lists the keys']);
  return found;
}

function line({ key, state, changed, reason, cause, attempts, at, note }: Parked): string {
  const why = cause === 'LoomError' ? reason : `${reason} (${cause})`;
  const times = `${attempts} ${attempts === 1 ? 'attempt' : 'attempts'}`;
  const where = `${at.tenant}/${at.stream}`;
  return `${key}  ${state.padEnd(8)} ${new Date(changed).toISOString()}  ${why}, ${times}  ${where}${note && `  “${note}”`}`;
}

async function list(options: Choice, out: Output): Promise<void> {
  const all = chosen(await withLog(parkedMessages), options);
  const shown = options.all ? all : all.filter(({ state }) => state === 'parked');
  for (const one of shown) {
    out.record(one);
    out.print(line(one));
  }
  const others = all.length - shown.length;
  if (others > 0) out.note(`${others} redriven or dropped: --all shows them`);
  if (shown.length === 0) out.note('nothing is parked');
}

async function show(key: string, out: Output): Promise<void> {
  await withLog(async (log) => {
    const one = byKey(await parkedMessages(log), key);
    out.print(line(one));
    const message = await messageOf(log, one).catch((cause: unknown) => goneOr(cause));
    tellMessage(one, message, out);
  });
}

function goneOr(cause: unknown): null {
  if (LoomError.from(cause).code === 'gone') return null;
  throw cause;
}

/** Who is at the keyboard, as far as the machine knows. */
const person = (): string => userInfo().username;

async function redriveAll(keys: readonly string[], options: Redress, out: Output): Promise<void> {
  if (keys.length > 0 === (options.all === true))
    throw new Failure(2, 'name keys, or say --all', ['./loom parked ls lists them']);
  await withLog(async (log) => {
    const all = await parkedMessages(log);
    const wanted = options.all
      ? chosen(all, options).filter(({ state }) => state === 'parked')
      : keys.map((key) => byKey(all, key));
    const task = out.task('redrive');
    for (const [i, one] of wanted.entries()) {
      await redriveOne(log, one, options.reason ?? '', out);
      task.at((i + 1) / wanted.length, `${i + 1} of ${wanted.length}`);
    }
    task.done(`${wanted.length} looked at`);
  });
}

async function redriveOne(log: Log, one: Parked, reason: string, out: Output): Promise<void> {
  const { seq } = await redrive(log, one, { person: person(), reason }).catch((cause: unknown) => refused(one, cause));
  const before = one.state === 'redriven';
  out.record({ key: one.key, redriven: seq, before });
  if (before)
    out.print(`${one.key}  was handed to ${one.consumer} at ${seq} and has not failed since: not handed again`);
  else out.print(`${one.key}  handed to ${one.consumer} again, at ${seq}`);
}

/** @throws Failure 1 with what to do next */
function refused({ key, note }: Parked, cause: unknown): never {
  const { code } = LoomError.from(cause);
  if (code === 'gone')
    throw new Failure(1, `the message of ${key} is not in the log any more`, [`./loom parked drop ${key} --reason …`]);
  if (code === 'message_dropped') throw new Failure(1, `${key} was dropped: ${note}`, ['what was dropped stays so']);
  throw cause;
}

async function dropOne(key: string, { reason = '' }: Redress, out: Output): Promise<void> {
  if (reason.trim() === '') throw new Failure(2, 'give a reason: it stays in the log', ['--reason "a trial of ours"']);
  await withLog(async (log) => {
    const one = byKey(await parkedMessages(log), key);
    const { seq } = await drop(log, one, { person: person(), reason }).catch((cause: unknown) => refused(one, cause));
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
      .option('--all', 'also what was redriven or dropped'),
    ['./loom parked ls', './loom parked ls --consumer billing --json'],
    ({ options, out }) => list(options, out),
  );

const showCommand = (parent: Command): Command =>
  act(
    parent
      .command('show')
      .description('a message as it lies in the log: why it failed, its headers, its clear fields; never content')
      .argument('<key>', 'as ls shows it'),
    ['./loom parked show billing-loom_events_0_1-17'],
    ({ args, out }) => show(args[0] ?? '', out),
  );

const redriveCommand = (parent: Command): Command =>
  act<Redress>(
    parent
      .command('redrive')
      .description('hands messages to their service again, once for each failure; do so once the cause is mended')
      .argument('[keys...]', 'as ls shows them')
      .option('--all', 'whatever is parked')
      .option('--tenant <name>', 'with --all: of this tenant alone')
      .option('--consumer <name>', 'with --all: of this service alone')
      .option('--reason <words>', 'why; stays in the log in the clear, so no content'),
    [
      './loom parked redrive billing-loom_events_0_1-17',
      './loom parked redrive --all --consumer billing --reason "release 0.2"',
    ],
    ({ args, options, out }) => redriveAll(args, options, out),
  );

const dropCommand = (parent: Command): Command =>
  act<Redress>(
    parent
      .command('drop')
      .description('gives a message up for good; it stays in the log, and so does the reason')
      .argument('<key>', 'as ls shows it')
      .option('--reason <words>', 'why; stays in the log in the clear, so no content'),
    ['./loom parked drop audit-loom_events_0_2-9 --reason "noise of a trial"'],
    ({ args, options, out }) => dropOne(args[0] ?? '', options, out),
  );

const help = `
A message that a service cannot read, or failed at five times, is parked: nothing is lost, and its queue goes on.
Mend the cause first, then redrive; each failure allows one redrive, so doing it twice does nothing twice.

Examples:
  $ ./loom parked
  $ ./loom parked show billing-loom_events_0_1-17
  $ ./loom parked redrive --all --consumer billing --reason "release 0.2"
  $ ./loom parked drop audit-loom_events_0_2-9 --reason "noise of a trial"`;

export const parkedCommand: Register = (program) => {
  const parent = program
    .command('parked')
    .description('messages that a service could not handle: ls, show, redrive, drop');
  parent.addHelpText('after', help);
  for (const add of [listCommand, showCommand, redriveCommand, dropCommand]) add(parent);
};
