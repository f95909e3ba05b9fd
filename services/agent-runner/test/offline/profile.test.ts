import { readFileSync } from 'node:fs';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { printed, type Profile } from '../../src/offline/profile.ts';
import { program } from '../../src/offline/python.ts';
import { events, hostile, jsonLines, latin1, odd, prose, sales, wide } from './fixtures.ts';
import { type Ran, runAll } from './python.ts';

const example = (name: string) => readFileSync(new URL(`../../../../examples/${name}`, import.meta.url));
const limits = { lite: false, slug: 'x', deadline: 20, rows: 0 };
const name = `Umsätze "2025" – O'Süd.csv`;
const PROFILES: readonly (readonly [string, Uint8Array | string])[] = [
  [name, latin1],
  ['events.jsonl', jsonLines],
  ['story.txt', prose],
  ['wide.csv', wide],
  ['hostile.csv', hostile],
  ['odd.csv', odd],
  ['empty.csv', ''],
  ['header.csv', 'a,b,c\n'],
  ['one.csv', `name\n${'x\ny\n'.repeat(10)}`],
  ['photo.csv', Buffer.from('89504e470d0a1a0a0000000d', 'hex')],
  ['wide16.txt', Buffer.from('\ufeffname\tvalue\nä\t1\nö\t2\nü\t3\n', 'utf16le')],
  ['noheader.csv', Array.from({ length: 40 }, (_, at) => `${at},red,${at * 1.5}`).join('\n')],
  ['array.json', JSON.stringify(events)],
  ['packages.csv', example('debian-packages.csv')],
  ['time-zones.tsv', example('time-zones.tsv')],
  ['stray.csv', `a,b\n1,"oops\n${'2,3\n'.repeat(30)}`],
];
let ran: readonly Ran[] = [];
const at = (file: string) => PROFILES.findIndex(([each]) => each === file);
const profiled = (file: string): Profile => {
  const found = printed(ran[at(file)]?.out ?? '');
  if (found?.phase !== 'profile') throw new Error(`no profile of ${file}: ${ran[at(file)]?.err}`);
  return found;
};
const columnOf = (file: string, column: string) => profiled(file).columns.find((each) => each.name === column);
const oddities = (file: string) =>
  profiled(file)
    .oddities.map(({ text }) => text)
    .join('\n');

test.before(() => {
  ran = runAll(
    PROFILES.map(([file, content]) => ({
      code: program('profile', { file, ...limits }),
      file: { name: file, content },
    })),
  );
});

test('semicolons, decimal commas and Latin-1 are found by looking, and the figures are right', () => {
  const { source: found, rows } = profiled(name);
  assert.equal(
    [found['delimiter'], found['decimal'], found['encoding'], found['header'], rows],
    [';', ',', 'latin-1', true, sales.length],
  );
  assert.equal(columnOf(name, 'Datum')?.kind, 'date');
  const sum = sales.reduce((total, { price }) => total + Math.round(price * 1000), 0) / 100;
  assert.ok(Math.abs(Number(columnOf(name, 'Preis')?.sum) - sum) < 0.01);
  assert.equal(
    columnOf(name, 'Stadt')
      ?.top?.map(([city]) => city)
      .toSorted(),
    [...new Set(sales.map(({ city }) => city))].toSorted(),
  );
});

test('nested JSON Lines become columns with dots; missing fields and broken lines are counted', () => {
  const missing = events.filter(({ user }) => user === null).length;
  assert.is(profiled('events.jsonl').rows, events.length);
  assert.is(columnOf('events.jsonl', 'user.name')?.missing, missing);
  assert.is(columnOf('events.jsonl', 'user.geo.lat')?.axis, 'latitude');
  assert.is(
    columnOf('events.jsonl', 'amount')?.sum,
    events.reduce((total, { amount }) => total + (amount ?? 0), 0),
  );
  assert.match(oddities('events.jsonl'), /no valid JSON: 1 line$/m);
  assert.is(profiled('array.json').rows, events.length);
});

test('plain text is counted: lines, words, what comes often', () => {
  const lines = prose.split('\n').slice(0, -1);
  const { text } = profiled('story.txt');
  assert.is(text?.lines, lines.length);
  assert.is(text?.blank, lines.filter((line) => line === '').length);
  assert.is(
    text?.words,
    lines.reduce((total, line) => total + line.split(' ').filter(Boolean).length, 0),
  );
  assert.is(
    Math.max(...(text?.longest.map(({ length }) => length) ?? [])),
    Math.max(...lines.map((line) => line.length)),
  );
});

test('every file gives a profile within 40 KiB and without a traceback, and a chart where there is something to draw', () => {
  PROFILES.forEach(([file], index) => {
    assert.is(profiled(file).file, file);
    assert.ok(Buffer.byteLength(ran[index]?.out ?? '') <= 40_100, file);
    assert.is(ran[index]?.err, '', file);
    for (const { path } of profiled(file).charts) assert.ok(ran[index]?.charts.includes(path), file);
  });
  for (const file of [name, 'events.jsonl', 'story.txt', 'wide.csv', 'packages.csv', 'time-zones.tsv'])
    assert.is(profiled(file).charts.length, 1, file);
});

test('what is no text, empty, or a header only is said to be so', () => {
  assert.match(oddities('photo.csv'), /a PNG image/);
  assert.match(oddities('empty.csv'), /empty/);
  assert.match(oddities('header.csv'), /header and not a single row/);
  assert.equal([profiled('wide16.txt').encoding, profiled('wide16.txt').rows], ['utf-16', 3]);
  assert.equal([profiled('noheader.csv').source['header'], profiled('noheader.csv').rows], [false, 40]);
  assert.is(profiled('wide.csv').width, 1000);
});

test('what looks odd is found and counted', () => {
  const text = oddities('odd.csv');
  for (const part of [
    'repeated exactly in 9 rows',
    'spaces before or after',
    'mixes types',
    'empty is empty',
    'const is constant',
    'size_kb is negative in 1 row',
    'size_kb is zero in 10 rows',
    'more fields than the header',
  ])
    assert.ok(text.includes(part), part);
  assert.match(oddities('stray.csv'), /never closed/);
});

test('a file that speaks the language of the results is still only data', () => {
  assert.equal(
    [profiled('hostile.csv').phase, profiled('hostile.csv').rows, profiled('hostile.csv').width],
    ['profile', 30, 2],
  );
});

test.run();
