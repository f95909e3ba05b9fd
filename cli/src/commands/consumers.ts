/** `./loom consumers`: who reads the log from outside of Loom. */
import { addAnalyst, analystOf, natsUsers, streamNames, type Analyst } from '@loom/log';
import { config } from '@loom/service';
import { Failure, messageOf } from '../failure.ts';
import type { Output } from '../output.ts';
import { homeOf } from '../root.ts';
import { admit, admitted, dismiss, newPassword, type Credentials } from '../stack/analysts.ts';
import { runningStack, type StackState } from '../stack/state.ts';
import { act, type Register } from './command.ts';
import { setUpSettings } from './setup.ts';

interface Options {
  readonly tenant?: string;
}

async function stackUp(): Promise<{ readonly home: string; readonly up: StackState }> {
  const home = homeOf(process.env);
  const up = await runningStack(home);
  if (up !== null) return { home, up };
  throw new Failure(3, 'no Loom is up on this data folder', [
    './loom up starts one',
    'for servers of your own set LOOM_NATS_URL and LOOM_NATS_PASSWORD (of user setup)',
  ]);
}

/** @throws Failure 2 */
function userOf(name: string): Analyst {
  try {
    return analystOf(name);
  } catch (cause) {
    throw new Failure(2, `${messageOf(cause)}, not ${name}`, [], { cause });
  }
}

function tenantOf({ tenant }: Options): string | null {
  if (tenant === undefined || /^[a-z0-9_-]{1,160}$/.test(tenant)) return tenant ?? null;
  throw new Failure(2, `--tenant takes a token of the log, not ${tenant}`, ['./loom events --json shows them']);
}

async function add(name: string, options: Options, out: Output): Promise<void> {
  const [user, tenant] = [userOf(name), tenantOf(options)];
  if (process.env['LOOM_NATS_URL'] !== undefined) return addElsewhere(user, tenant, out);
  const { home, up } = await stackUp();
  tell(await admit(home, up, user, tenant), up.streams, out);
}

function tell({ servers, user, password }: Credentials, streams: number, out: Output): void {
  const names = streamNames(streams);
  out.print(`servers   ${servers}`);
  out.print(`user      ${user}`);
  out.print(`password  ${password}`);
  out.print(`inbox     _INBOX_${user}`);
  out.print(`durable   ${user}, on ${names.join(', ')}`);
  out.print('docs/operations/analysts.md shows how to read with them, docs/events.md what is read');
  out.record({ servers, user, password, inbox: `_INBOX_${user}`, durable: user, streams: names });
}

const { natsUrl, natsPassword, streams: streamCount } = setUpSettings;

/** On servers whose users stand in a configuration that is not ours: the durables, and what to put there. */
async function addElsewhere(user: Analyst, tenant: string | null, out: Output): Promise<void> {
  const set = config({ natsUrl, natsPassword, streams: streamCount }, process.env);
  const { natsUrl: servers, streams } = set;
  await addAnalyst({ servers, user: 'setup', password: set.natsPassword.reveal(), streams }, user, tenant);
  const password = newPassword();
  tell({ servers, user, password }, streams, out);
  out.note('the durables are there; now let the servers know the user, as docs/operations/deploy.md says:');
  const entry = /\{ user: .*/.exec(natsUsers({ [user]: password }, streams))?.[0] ?? '';
  out.print(entry);
  out.record({ entry });
}

async function list(out: Output): Promise<void> {
  const { home, up } = await stackUp();
  for (const state of await admitted(home, up)) {
    out.record(state);
    const { user, tenant, waiting, unacknowledged } = state;
    out.print(
      `${user.padEnd(24)} ${(tenant ?? 'all tenants').padEnd(20)} ${waiting} waiting, ${unacknowledged} not acknowledged`,
    );
  }
}

async function remove(name: string, out: Output): Promise<void> {
  const user = userOf(name);
  const { home, up } = await stackUp();
  await dismiss(home, up, user);
  out.print(`${user} is gone, and its place in the log`);
  out.record({ user, removed: true });
}

export const consumersCommand: Register = (program) => {
  const command = program
    .command('consumers')
    .description('readers of the log from outside of Loom: credentials and durables of their own');
  act<Options>(
    command
      .command('add <name>')
      .description('read-only credentials and a durable on every event stream; again: the same ones')
      .option('--tenant <tenant>', 'facts of this tenant alone'),
    [
      './loom consumers add bi',
      './loom consumers add bi --tenant acme --json',
      'LOOM_NATS_URL=… LOOM_NATS_PASSWORD=… ./loom consumers add bi',
    ],
    ({ args, options, out }) => add(args[0] ?? '', options, out),
  );
  act(command.command('ls').description('who reads, and how much waits for them'), ['./loom consumers ls'], ({ out }) =>
    list(out),
  );
  act(
    command.command('remove <name>').description('takes credentials and durables away'),
    ['./loom consumers remove bi'],
    ({ args, out }) => remove(args[0] ?? '', out),
  );
};
