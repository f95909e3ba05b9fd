/** `./loom up` and `./loom down`: the whole system in the foreground, and its end from elsewhere. */
import { once } from 'node:events';
import { Failure } from '../failure.ts';
import { bringUp } from '../parts/index.ts';
import { homeOf } from '../root.ts';
import { services } from '../stack/environment.ts';
import type { Stack, StackOptions } from '../stack/stack.ts';
import type { Output } from '../output.ts';
import { act, type Register } from './command.ts';

interface UpOptions {
  readonly split?: boolean;
  readonly cluster?: string;
  readonly port: string;
  readonly sandbox: boolean;
}

function portOf(text: string): number {
  const port = Number(text);
  if (!Number.isInteger(port) || port < 0 || port > 65_535)
    throw new Failure(2, `--port takes a number from 0 to 65535, not ${text}`);
  return port;
}

/** A cluster has three servers, and two of each service. */
function clusterOf(text: string | undefined): Pick<StackOptions, 'cluster' | 'replicas'> {
  if (text === undefined) return {};
  if (text !== '3')
    throw new Failure(2, `--cluster takes 3: three servers for three replicas of every stream, not ${text}`);
  return { cluster: 3, replicas: Object.fromEntries(Object.keys(services).map((service) => [service, 2])) };
}

async function announce(stack: Stack, out: Output): Promise<void> {
  const token = await stack.token({ seconds: 12 * 3600 });
  const { pids, natsUrl } = stack.state();
  out.record({
    url: stack.url,
    urls: stack.urls,
    sign_in: `${stack.url}/#token=${token}`,
    token,
    nats_url: natsUrl,
    pids,
  });
  out.print(`Loom is up at ${stack.url}`);
  out.print(`sign in (12 h): ${stack.url}/#token=${token}`);
  for (const url of stack.urls.slice(1)) out.print(`another gateway: ${url}`);
  out.print('Ctrl-C or ./loom down stops it.');
}

/** Resolves at the first SIGINT or SIGTERM; a second one ends the process at once. */
async function signalled(): Promise<void> {
  const abort = new AbortController();
  const { signal } = abort;
  await Promise.race([once(process, 'SIGINT', { signal }), once(process, 'SIGTERM', { signal })]);
  abort.abort();
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => process.exit(130));
}

async function up(options: UpOptions, out: Output): Promise<void> {
  const home = homeOf(process.env);
  const port = portOf(options.port);
  const cluster = clusterOf(options.cluster);
  const end = signalled();
  await using machine = await bringUp(out, { sandbox: options.sandbox });
  const { startStack } = await import('../stack/stack.ts');
  const given = { home, port, out, env: process.env, nats: machine.nats, sandbox: machine.sandbox };
  await using stack = await startStack({ ...given, ...cluster, split: options.split ?? options.cluster !== undefined });
  await announce(stack, out);
  await end;
  out.note('stopping …');
}

export const upCommand: Register = (program) => {
  const command = program
    .command('up')
    .description('the whole system in the foreground; prints its URL and a sign-in link')
    .option('--split', 'one process a service')
    .option('--cluster <n>', 'n = 3: three nats-servers, three replicas of every stream, two processes a service')
    .option('--port <n>', "the gateway's port (0: a free one)", '0')
    .option('--no-sandbox', 'do without Docker: run_code then tells the agents that there is none');
  act<UpOptions>(
    command,
    ['./loom up --port 8080', './loom up --split --json', './loom up --cluster 3'],
    ({ options, out }) => up(options, out),
  );
};

export const downCommand: Register = (program) => {
  const command = program.command('down').description('stops the stack that ./loom up (or a killed one) left running');
  act(command, ['./loom down'], async ({ out }) => {
    const { stopStack } = await import('../stack/state.ts');
    const stopped = await stopStack(homeOf(process.env));
    out.record({ stopped });
    out.print(stopped ? 'stopped' : 'nothing was running');
  });
};
