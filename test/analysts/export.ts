/** Exports of the log: whole, killed in the middle, later facts, and the questions of docs/operations/analysts.md asked in SQL. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { exportLog, type ExportOptions } from '@loom/cli';
import { eventOf, readRaw } from '@loom/log';
import { operatorLog } from '@loom/test';
import * as assert from 'uvu/assert';
import { ask, opened, questions } from './questions.ts';
import { done, environmentOf, filesOf, loom, main, secret, type Test, type World } from './world.ts';

type Row = Readonly<Record<string, unknown>>;

const unnarrowed = { format: 'parquet', tenant: null, since: null, until: null, most: 10_000 } as const;

async function exported({ system }: World, folder: string, more: Partial<ExportOptions> = {}): Promise<void> {
  await using log = await operatorLog(system);
  await exportLog(log, { ...unnarrowed, folder, ...more });
}

/** Facts of the log by name, each with how many items it has. */
async function logOf({ system }: World): Promise<Map<string, number>> {
  await using log = await operatorLog(system);
  const found = new Map<string, number>();
  for (const stream of log.streams)
    for await (const raw of readRaw(log, stream)) found.set(`${stream} ${raw.seq}`, eventOf(raw).items.length);
  return found;
}

async function rowsOf(folder: string): Promise<string[]> {
  const lines: string[] = [];
  for (const file of await filesOf(folder))
    lines.push(...(await readFile(join(folder, file), 'utf8')).trim().split('\n'));
  return lines.map((line) => JSON.parse(line) as Row).map((row) => `${String(row['log'])} ${String(row['seq'])}`);
}

/** Starts an export in rounds of few facts and kills it as soon as `parts` are there; false when it was done before. */
async function killed(world: World, folder: string, parts: number): Promise<boolean> {
  const args = [main, 'export', '--format', 'ndjson', '--out', folder, '--part', '1'];
  const child = spawn(process.execPath, args, { env: environmentOf(world), stdio: 'ignore' });
  const ended = once(child, 'exit');
  while (child.exitCode === null && (await filesOf(folder)).length < parts) await sleep(1);
  child.kill('SIGKILL');
  const [, signal] = (await ended) as [number | null, string | null];
  return signal === 'SIGKILL';
}

async function survivesKills(world: World): Promise<void> {
  const folder = join(world.folder, 'killed');
  let kills = 0;
  for (const parts of [1, 7, 15]) kills += (await killed(world, folder, parts)) ? 1 : 0;
  assert.ok(kills >= 2, `killed ${kills} times`);
  const [left = ''] = await filesOf(folder);
  await writeFile(join(folder, left.replace(/part-\d+/, 'part-999999')), 'what a killed run wrote and never counted\n');
  const { exit, err } = await loom(world, ['export', '--format', 'ndjson', '--out', folder, '--part', '50']);
  assert.is(exit, 0, err);
  assert.equal((await rowsOf(folder)).toSorted(), [...(await logOf(world)).keys()].toSorted());
}

/** In a folder that was exported before: parts of then stay as they are, what came later is in parts of its own. */
async function goesOn(world: World, folder: string): Promise<void> {
  const before = new Map<string, string>();
  for (const file of await filesOf(folder)) before.set(file, await readFile(join(folder, file), 'latin1'));
  await done(world.clients.zeta, 'default');
  await exported(world, folder);
  const after = await filesOf(folder);
  for (const [file, bytes] of before) assert.is(await readFile(join(folder, file), 'latin1'), bytes, file);
  const late = after.filter((file) => !before.has(file));
  assert.ok(late.length > 0 && late.every((file) => file.endsWith('part-000002.parquet')), late.join(' '));
  assert.ok(late.some((file) => [...before.keys()].some((old) => old === file.replace('000002', '000001'))));
}

async function holdsEachItem(world: World, folder: string): Promise<void> {
  await exported(world, folder);
  const items = [...(await logOf(world)).values()].reduce((sum, count) => sum + count, 0);
  await using db = await opened();
  await questions(db.connection, folder);
  const counts = 'select count(*) as rows, count(distinct (log, seq, index)) as names from facts';
  const [counted] = await ask(db.connection, counts);
  assert.equal([Number(counted?.['rows']), Number(counted?.['names'])], [items, items]);
  for (const file of await filesOf(folder)) assert.not.match(await readFile(join(folder, file), 'latin1'), secret);
  assert.equal(await ask(db.connection, `select * from facts where body::varchar like '%${secret}%'`), []);
}

async function takesAlone(world: World, folder: string): Promise<void> {
  const [first = ''] = await filesOf(folder);
  const tenant = /tenant=([^/]+)/.exec(first)?.[1] ?? '';
  const own = join(world.folder, 'own');
  await exported(world, own, { tenant, format: 'avro', until: '2100-01-01T00:00:00.000Z' });
  const files = await filesOf(own);
  assert.ok(files.length > 0 && files.every((file) => file.includes(`tenant=${tenant}/`)), files.join(' '));
  const other = await loom(world, ['export', '--out', own, '--format', 'avro']);
  assert.is(other.exit, 2);
  assert.match(other.err, /holds an export with tenant/);
  const none = join(world.folder, 'none');
  await exported(world, none, { until: '2020-01-01T00:00:00.000Z' });
  assert.equal(await filesOf(none), []);
}

/** What is written into files; `parquet` in the world's folder is left for the questions. */
export function exportTests(test: Test): void {
  const folderOf = (world: World): string => join(world.folder, 'parquet');
  test('an export that is killed three times goes on, and holds every fact of the log once', ({ world }) =>
    survivesKills(world));
  test('Parquet has a row for each item of every fact, and no content', ({ world }) =>
    holdsEachItem(world, folderOf(world)));
  test('what came later for a day lies in a part of its own', ({ world }) => goesOn(world, folderOf(world)));
  test('one tenant and a span are taken alone; a folder of another export is refused', ({ world }) =>
    takesAlone(world, folderOf(world)));
}
