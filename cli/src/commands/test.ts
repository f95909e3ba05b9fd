/** `./loom test`: everything the tests need, then all of them. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Failure } from '../failure.ts';
import type { Output } from '../output.ts';
import { bringUp, type Machine } from '../parts/index.ts';
import { startPostgres, type Postgres } from '../stack/postgres.ts';
import { casesOf, type Case } from '../testing/cases.ts';
import { runCases, type Result } from '../testing/run.ts';
import { act, type Register } from './command.ts';

/** One Postgres for the whole run; each test makes databases of its own in it. */
async function sharedPostgres(): Promise<Postgres> {
  const dir = await mkdtemp(join(tmpdir(), 'loom-test-pg-'));
  const cluster = await startPostgres({ dir, password: 'test', durable: false });
  const dispose = async (): Promise<void> => {
    await cluster[Symbol.asyncDispose]();
    await rm(dir, { recursive: true, force: true });
  };
  return { ...cluster, [Symbol.asyncDispose]: dispose };
}

const foreign = /^(LOOM_|ANTHROPIC_|OPENAI_|OTEL_|PG)/;

/** The caller's environment without anything that could steer a test, and with the parts of this run. */
function environment(machine: Machine, postgres: Postgres): Record<string, string | undefined> {
  const kept = Object.entries(process.env).filter(([name]) => !foreign.test(name) || name === 'LOOM_NIGHTLY');
  return {
    ...Object.fromEntries(kept),
    NO_COLOR: '1',
    LOOM_NATS_SERVER: machine.nats,
    LOOM_CHROMIUM: process.env['LOOM_CHROMIUM'],
    LOOM_TEST_PG: postgres.url,
    LOOM_DOCKER_SOCKET: machine.sandbox?.socket,
    LOOM_SANDBOX_IMAGE: machine.sandbox?.image,
  };
}

function tell(out: Output, { name, verdict, seconds, output }: Result): void {
  const { reason, passed, failed, skipped } = verdict;
  out.record({ case: name, passed, failed, skipped, reason, seconds: Number(seconds.toFixed(2)) });
  const count = `${passed} passed${skipped > 0 ? `, ${skipped} skipped` : ''}`;
  out.print(`${reason === '' ? '✓' : '✗'} ${name}  ${reason === '' ? count : reason}  ${seconds.toFixed(1)} s`);
  for (const line of output.matchAll(/^skip: .*$/gm)) out.print(`    ${line[0]}`);
  if (reason !== '') out.print(output.trimEnd().split('\n').slice(-120).join('\n').replaceAll(/^/gm, '    '));
}

async function runAll(cases: readonly Case[], out: Output): Promise<number> {
  const abort = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => abort.abort());
  await using machine = await bringUp(out, {
    sandbox: true,
    browser: cases.some(({ name }) => name.startsWith('test/page/')),
    avro: cases.some(({ name }) => name.startsWith('test/analysts/')),
  });
  await using postgres = await sharedPostgres();
  const sum = { passed: 0, failed: 0 };
  await runCases(cases, environment(machine, postgres), abort.signal, (result) => {
    tell(out, result);
    sum.passed += result.verdict.passed;
    sum.failed += result.verdict.failed;
  });
  if (abort.signal.aborted) sum.failed += 1;
  out.record(sum);
  out.print(`${sum.passed} passed, ${sum.failed} failed`);
  return sum.failed;
}

async function run(only: string | undefined, out: Output): Promise<void> {
  const cases = await casesOf(only).catch((cause: unknown) => {
    throw new Failure(2, `--only takes a regular expression: ${String(cause)}`);
  });
  if (cases.length === 0) throw new Failure(2, `no check or test file matches ${only}`);
  if ((await runAll(cases, out)) > 0) process.exitCode = 1;
}

export const testCommand: Register = (program) => {
  const command = program
    .command('test')
    .description('lint, types and every test; the last line is "N passed, N failed"')
    .option('--only <pattern>', 'only checks and files whose name matches this regular expression');
  const examples = ['./loom test', './loom test --only lint', './loom test --only packages/log'];
  act<{ only?: string }>(command, examples, ({ options, out }) => run(options.only, out));
};
