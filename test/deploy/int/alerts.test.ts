/** The alert rules by Prometheus' own tool, and that no fault of the catalogue is left out of their table. */
import { execFile } from 'node:child_process';
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { bringChecker } from '@loom/cli';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { parse } from 'yaml';
import { alerts } from '../figures.ts';
import { root } from '../manifests.ts';

const run = promisify(execFile);
const folder = join(root, 'deploy/alerts');

interface Ran {
  readonly ok: boolean;
  readonly said: string;
}
interface Context {
  /** promtool with a folder to run in. */
  promtool: (args: readonly string[], dir?: string) => Promise<Ran>;
}
const test = suite<Context>('alerts');

test.before(async (context) => {
  const program = await bringChecker('promtool');
  context.promtool = (args, cwd = folder) =>
    run(program, [...args], { cwd }).then(
      ({ stdout }) => ({ ok: true, said: stdout }),
      (cause: { stdout: string; stderr: string }) => ({ ok: false, said: cause.stdout + cause.stderr }),
    );
});

test('the rules are rules', async ({ promtool }) => {
  const { ok, said } = await promtool(['check', 'rules', 'rules.yaml']);
  assert.ok(ok, said);
  assert.match(said, `${(await alerts()).length} rules found`);
});

test('each alert fires when it has to and keeps quiet when it must not', async ({ promtool }) => {
  const { ok, said } = await promtool(['test', 'rules', 'rules.test.yaml']);
  assert.ok(ok, said);
});

interface Tests {
  readonly tests: readonly {
    readonly alert_rule_test: readonly { readonly alertname: string; readonly exp_alerts: readonly object[] }[];
  }[];
}

test('no alert goes without both', async () => {
  const { tests } = parse(await readFile(join(folder, 'rules.test.yaml'), 'utf8')) as Tests;
  const cases = tests.flatMap(({ alert_rule_test }) => alert_rule_test);
  for (const { alert } of await alerts()) {
    const own = cases.filter(({ alertname }) => alertname === alert);
    assert.ok(
      own.some(({ exp_alerts }) => exp_alerts.length > 0),
      alert,
    );
    assert.ok(
      own.some(({ exp_alerts }) => exp_alerts.length === 0),
      alert,
    );
  }
});

test('a rule that has lost its edge is found', async ({ promtool }) => {
  const dir = await mkdtemp(join(tmpdir(), 'loom-alerts-'));
  try {
    await cp(folder, dir, { recursive: true });
    const rules = await readFile(join(dir, 'rules.yaml'), 'utf8');
    const blunt = rules.replace('(loom_service_ready) == 0', '(loom_service_ready) < 0');
    assert.is.not(blunt, rules);
    await writeFile(join(dir, 'rules.yaml'), blunt);
    const { ok, said } = await promtool(['test', 'rules', '--run=LoomPartUnusable', 'rules.test.yaml'], dir);
    assert.not.ok(ok);
    assert.match(said, 'LoomPartUnusable');
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
});

/** Crashes, NATS, Postgres of the catalogue. */
const faults = [
  ...Array.from({ length: 15 }, (_, i) => `R-${String(i + 1).padStart(2, '0')}`),
  ...Array.from({ length: 14 }, (_, i) => `N-${String(i + 1).padStart(2, '0')}`),
  ...Array.from({ length: 6 }, (_, i) => `P-0${i + 1}`),
];

test('every fault has its row, every alert stands in a row, and no row names an alert that is none', async () => {
  const table = await readFile(join(folder, 'README.md'), 'utf8');
  const names = (await alerts()).map(({ alert }) => alert);
  for (const fault of faults) assert.match(table, new RegExp(`^\\| ${fault} `, 'm'), fault);
  for (const name of names) assert.match(table, `\`${name}\``, name);
  for (const [, named = ''] of table.matchAll(/`(Loom\w+)`/g)) assert.ok(names.includes(named), named);
});

test.run();
