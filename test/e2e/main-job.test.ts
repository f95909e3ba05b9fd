/** The main job as a person runs it: one command takes the example brief and its files to a report whose figures hold. */
import { spawn } from 'node:child_process';
import { chmod, mkdtemp, readFile, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { pictureOf } from '../support/png.ts';
import { recomputed, rowsOf, says } from '../support/recompute.ts';
import { tablesOf, type ReportTable } from '../support/report.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const raw = {
  'debian-packages.csv': rowsOf(await readFile(join(root, 'examples/debian-packages.csv'), 'utf8'), ','),
  'time-zones.tsv': rowsOf(await readFile(join(root, 'examples/time-zones.tsv'), 'utf8'), '\t'),
};
const isKnown = (name: string): name is keyof typeof raw => name in raw;

interface Ran {
  readonly exit: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** `./loom run` on the example with the keys of nobody; stdout and stderr are pipes. */
async function loomRun(home: string, ...more: readonly string[]): Promise<Ran> {
  const env = Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !/^(ANTHROPIC|OPENAI|LOOM_MODEL)_/.test(name)),
  );
  const child = spawn(join(root, 'loom'), ['run', 'examples/compare-packages.md', ...more], {
    cwd: root,
    env: { ...env, LOOM_HOME: home },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let [stdout, stderr] = ['', ''];
  child.stdout.on('data', (chunk: Buffer) => void (stdout += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => void (stderr += chunk.toString()));
  const exit = await new Promise<number | null>((resolve) => child.once('close', resolve));
  return { exit, stdout, stderr };
}

interface World {
  home: string;
  out: string;
  first: Ran;
  report: string;
  tables: readonly ReportTable[];
}

const test = suite<World>('main job');

test.before(async (world) => {
  world.home = await mkdtemp(join(tmpdir(), 'loom-main-'));
  await chmod(world.home, 0o711); // Postgres runs as another user under root
  world.out = join(world.home, 'out');
  world.first = await loomRun(world.home, '--out', world.out);
  world.report = await readFile(join(world.out, 'final/report.md'), 'utf8').catch(() => '');
  world.tables = tablesOf(world.report).filter(({ file }) => isKnown(file));
});

test.after(({ home }) => rm(home, { recursive: true, force: true }));

test('the command ends with exit 0 and says what it did, in which mode, and what it cost', ({ first }) => {
  assert.is(first.exit, 0, first.stderr);
  assert.match(first.stdout, /^completed in \d+(\.\d+)? s, \$0\.00, \d+ files$/m);
  assert.match(first.stdout, /final\/report\.md$/m);
  assert.match(first.stderr + first.stdout, /offline mode: .*(ANTHROPIC_API_KEY|OPENAI_API_KEY)/);
  assert.not.match(first.stdout + first.stderr, '\u001B[', 'no terminal codes without a terminal');
});

test('the report says that AI produced it, and answers each question of the brief', ({ report, tables }) => {
  assert.match(report, /produced by an AI system/i);
  const captions = tables.map(({ caption }) => caption);
  for (const wanted of [
    'Rows by section',
    'Sum of installed_kb by section',
    'Top 10 by installed_kb',
    'Furthest north',
    'Furthest south',
    'Rows by number of items in country_codes',
  ])
    assert.ok(captions.includes(wanted), `${wanted} is not among ${captions.join(', ')}`);
  assert.ok(
    tables.some(({ caption }) => /^Correlation of .*installed_kb/.test(caption)),
    'size against dependencies',
  );
  assert.is(tables.find(({ caption }) => caption === 'Top 10 by installed_kb')?.rows.length, 10);
  assert.ok(
    tables.find(({ caption }) => caption.startsWith('Sum of installed_kb'))?.header.includes('MB'),
    'megabytes are asked for',
  );
  assert.match(report, /odd/i);
});

test('every figure of the answers, many more than 20, is what an independent computation gives', ({ tables }) => {
  let figures = 0;
  for (const table of tables) {
    if (!isKnown(table.file)) continue;
    const expected = recomputed(table, raw[table.file]);
    assert.is(table.rows.length, expected.length, table.caption);
    for (const [at, row] of table.rows.entries())
      for (const [place, printed] of row.entries()) {
        const value = expected[at]?.[place];
        assert.ok(
          says(printed, value),
          `${table.caption}, row ${at + 1}, ${table.header[place]}: ${printed}, not ${value}`,
        );
        if (typeof value === 'number') figures += 1;
      }
  }
  assert.ok(figures >= 100, `only ${figures} figures`);
});

test('the sentences repeat what the tables say', ({ report, tables }) => {
  const first = (caption: string): readonly string[] =>
    tables.find((table) => table.caption === caption)?.rows[0] ?? [];
  const answers = report
    .split('\n')
    .filter((line) => line.startsWith('**Answer:**'))
    .join('\n');
  const [section = '?', packages = '?'] = first('Rows by section');
  assert.match(answers, `${section} (${packages})`);
  const [heavy = '?', kilobytes = '?', megabytes = '?'] = first('Sum of installed_kb by section');
  assert.match(answers, `${heavy} (${kilobytes} kB = ${megabytes} MB)`);
  for (const end of ['north', 'south']) assert.match(answers, `urthest ${end}: ${first(`Furthest ${end}`)[0] ?? '?'} `);
});

test('each file has a chart that is a real picture and stands in the report', async ({ out, report }) => {
  const pictures = (await readdir(join(out, 'final'))).filter((name) => name.endsWith('.png'));
  for (const stem of ['debian-packages', 'time-zones']) {
    const own = pictures.filter((name) => name.startsWith(stem));
    assert.ok(own.length > 0, stem);
    for (const name of own) {
      const { width, height, colours } = pictureOf(await readFile(join(out, 'final', name)));
      assert.ok(width >= 300 && height >= 200 && colours > 20, `${name}: ${width} × ${height}, ${colours} colours`);
      assert.match(report, `](${name})`);
    }
  }
});

test('a second run in the same home, with --json, prints JSON lines and nothing else', async ({ home, report }) => {
  const again = join(home, 'again');
  const { exit, stdout, stderr } = await loomRun(home, '--json', '--out', again);
  assert.is(exit, 0, stderr);
  const lines = stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as { status?: string; files?: string[] });
  assert.is(lines.at(-1)?.status, 'completed');
  assert.ok(lines.at(-1)?.files?.some((file) => file.endsWith('final/report.md')));
  assert.is(await readFile(join(again, 'final/report.md'), 'utf8'), report, 'the same brief has the same report');
});

test.run();
