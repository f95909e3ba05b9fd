import { readFileSync } from 'node:fs';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type Answers, printed, type Profile } from '../../src/offline/profile.ts';
import { program } from '../../src/offline/python.ts';
import { events, hostile, jsonLines, latin1, odd, prose, sales, wide } from './fixtures.ts';
import { type Case, type Ran, runAll } from './python.ts';

const example = (name: string) => readFileSync(new URL(`../../../../examples/${name}`, import.meta.url));
const limits = { lite: false, slug: 'x', deadline: 20, rows: 0 };
const name = `Umsätze "2025" – O'Süd.csv`;
const PROFILES: readonly (readonly [string, Uint8Array | string])[] = [
  [name, latin1], ['events.jsonl', jsonLines], ['story.txt', prose], ['wide.csv', wide], ['hostile.csv', hostile], ['odd.csv', odd], ['empty.csv', ''], ['header.csv', 'a,b,c\n'], ['one.csv', `name\n${'x\ny\n'.repeat(10)}`],
  ['photo.csv', Buffer.from('89504e470d0a1a0a0000000d', 'hex')], ['wide16.txt', Buffer.from('\ufeffname\tvalue\nä\t1\nö\t2\nü\t3\n', 'utf16le')], ['noheader.csv', Array.from({ length: 40 }, (_, at) => `${at},red,${at * 1.5}`).join('\n')],
  ['array.json', JSON.stringify(events)], ['packages.csv', example('debian-packages.csv')], ['time-zones.tsv', example('time-zones.tsv')], ['stray.csv', `a,b\n1,"oops\n${'2,3\n'.repeat(30)}`],
];
const source = { kind: 'table', encoding: 'utf-8', delimiter: ',', header: true, width: 10, decimal: '.', quoting: 0 };
const german = { ...source, encoding: 'latin-1', delimiter: ';', decimal: ',', width: 4 };
const number = { kind: 'number' };
const asking = (file: string, more: object): string => program('answer', { file, ...limits, ...more });

const packageAsks = asking('packages.csv', {
  source, wanted: ['section', 'installed_kb', 'dependencies'], columns: { section: { kind: 'category' }, installed_kb: number, dependencies: number, package: { kind: 'id' } },
  asks: [
    { id: 1, op: 'groups', by: 'section', n: 10, ascending: false, where: [], measures: [{ agg: 'count' }, { agg: 'sum', column: 'installed_kb' }] }, { id: 2, op: 'relation', x: 'dependencies', y: 'installed_kb', where: [] },
    { id: 3, op: 'top', column: 'installed_kb', n: 10, ascending: false, show: ['package', 'section'], where: [] }, { id: 4, op: 'figures', column: 'installed_kb', aggs: ['count', 'sum', 'median'], where: [{ is: 'equal', column: 'section', value: 'games' }] },
    { id: 5, op: 'count', column: null, where: [{ is: 'over', column: 'dependencies', value: 100 }] }, { id: 6, op: 'top', column: 'installed_kb', n: 2, ascending: true, show: ['package'], where: [{ is: 'equal', column: 'section', value: 'games' }] },
    { id: 7, op: 'groups', by: 'no such column', n: 3, measures: [{ agg: 'count' }] },
  ],
});
const zoneAsks = asking('time-zones.tsv', {
  source: { ...source, delimiter: '\t', width: 4 }, wanted: ['country_codes', 'coordinates', 'time_zone'], columns: { country_codes: { kind: 'list', separator: ',' }, coordinates: { kind: 'coordinates' }, time_zone: { kind: 'id' } },
  asks: [{ id: 1, op: 'sharing', column: 'country_codes', n: 10, show: ['time_zone'] }, { id: 2, op: 'extremes', place: 'coordinates', latitude: null, longitude: null, ways: ['north', 'south'], n: 5, show: ['time_zone'] }],
});
const saleAsks = asking(name, {
  source: german, wanted: ['Stadt', 'Menge', 'Preis', 'Datum'], columns: { Stadt: { kind: 'category' }, Menge: number, Preis: number, Datum: { kind: 'date', form: '%d.%m.%Y' } },
  asks: [{ id: 1, op: 'groups', by: 'Stadt', n: 5, measures: [{ agg: 'mean', column: 'Preis' }, { agg: 'median', column: 'Menge' }] }, { id: 2, op: 'trend', column: 'Datum', unit: 'month', measure: { agg: 'sum', column: 'Menge' } }],
});
const ANSWERS: readonly (readonly [string, Uint8Array, string])[] = [['packages.csv', example('debian-packages.csv'), packageAsks], ['time-zones.tsv', example('time-zones.tsv'), zoneAsks], [name, latin1, saleAsks]];

let ran: readonly Ran[] = [];
const at = (file: string) => PROFILES.findIndex(([each]) => each === file);
const profiled = (file: string): Profile => {
  const found = printed(ran[at(file)]?.out ?? '');
  if (found?.phase !== 'profile') throw new Error(`no profile of ${file}: ${ran[at(file)]?.err}`);
  return found;
};
const answersOf = (file: string): Answers => {
  const run = ran[PROFILES.length + ANSWERS.findIndex(([each]) => each === file)];
  const found = printed(run?.out ?? '');
  if (found?.phase !== 'answer') throw new Error(`no answers: ${run?.err}`);
  return found;
};
const table = (file: string, id: number, which = 0) => answersOf(file).answers.find((answer) => answer.id === id)?.tables[which]?.rows ?? [];
const columnOf = (file: string, column: string) => profiled(file).columns.find((each) => each.name === column);
const oddities = (file: string) => profiled(file).oddities.map(({ text }) => text).join('\n');

/** Package rows read without pandas; no cell of the example holds a quoted comma in these columns. */
const packages = example('debian-packages.csv').toString().trim().split('\n').slice(1).map((line) => line.split(/,(?=(?:[^"]*"[^"]*")*[^"]*$)/)).map((cells) => ({ name: cells[0] ?? '', section: cells[2] ?? '', kb: cells[5] ?? '', dependencies: Number(cells[7]) }));
const zones = example('time-zones.tsv').toString().trimEnd().split('\n').slice(1).map((line) => line.split('\t')).map((cells) => ({ countries: (cells[0] ?? '').split(','), place: cells[1] ?? '', zone: cells[2] ?? '' }));

test.before(() => {
  const cases: readonly Case[] = [
    ...PROFILES.map(([file, content]) => ({ code: program('profile', { file, ...limits }), file: { name: file, content } })),
    ...ANSWERS.map(([file, content, code]) => ({ code, file: { name: file, content } })),
  ];
  ran = runAll(cases);
});

test('semicolons, decimal commas and Latin-1 are found by looking, and the figures are right', () => {
  const { source: found, rows } = profiled(name);
  assert.equal([found['delimiter'], found['decimal'], found['encoding'], found['header'], rows], [';', ',', 'latin-1', true, sales.length]);
  assert.equal(columnOf(name, 'Datum')?.kind, 'date');
  const sum = sales.reduce((total, { price }) => total + Math.round(price * 1000), 0) / 100;
  assert.ok(Math.abs(Number(columnOf(name, 'Preis')?.sum) - sum) < 0.01);
  assert.equal(columnOf(name, 'Stadt')?.top?.map(([city]) => city).toSorted(), [...new Set(sales.map(({ city }) => city))].toSorted());
});

test('nested JSON Lines become columns with dots; missing fields and broken lines are counted', () => {
  const missing = events.filter(({ user }) => user === null).length;
  assert.is(profiled('events.jsonl').rows, events.length);
  assert.is(columnOf('events.jsonl', 'user.name')?.missing, missing);
  assert.is(columnOf('events.jsonl', 'user.geo.lat')?.axis, 'latitude');
  assert.is(columnOf('events.jsonl', 'amount')?.sum, events.reduce((total, { amount }) => total + (amount ?? 0), 0));
  assert.match(oddities('events.jsonl'), /no valid JSON: 1 line$/m);
  assert.is(profiled('array.json').rows, events.length);
});

test('plain text is counted: lines, words, what comes often', () => {
  const lines = prose.split('\n').slice(0, -1);
  const { text } = profiled('story.txt');
  assert.is(text?.lines, lines.length);
  assert.is(text?.blank, lines.filter((line) => line === '').length);
  assert.is(text?.words, lines.reduce((total, line) => total + line.split(' ').filter(Boolean).length, 0));
  assert.is(Math.max(...(text?.longest.map(({ length }) => length) ?? [])), Math.max(...lines.map((line) => line.length)));
});

test('every file gives a profile within 40 KiB and without a traceback, and a chart where there is something to draw', () => {
  PROFILES.forEach(([file], index) => {
    assert.is(profiled(file).file, file);
    assert.ok(Buffer.byteLength(ran[index]?.out ?? '') <= 40_100, file);
    assert.is(ran[index]?.err, '', file);
    for (const { path } of profiled(file).charts) assert.ok(ran[index]?.charts.includes(path), file);
  });
  for (const file of [name, 'events.jsonl', 'story.txt', 'wide.csv', 'packages.csv', 'time-zones.tsv']) assert.is(profiled(file).charts.length, 1, file);
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
  for (const part of ['repeated exactly in 9 rows', 'spaces before or after', 'mixes types', 'empty is empty', 'const is constant', 'size_kb is negative in 1 row', 'size_kb is zero in 10 rows', 'more fields than the header']) assert.ok(text.includes(part), part);
  assert.match(oddities('stray.csv'), /never closed/);
});

test('a file that speaks the language of the results is still only data', () => {
  assert.equal([profiled('hostile.csv').phase, profiled('hostile.csv').rows, profiled('hostile.csv').width], ['profile', 30, 2]);
});

test('groups by count and by sum equal a plain recount', () => {
  const tally = new Map<string, { rows: number; kb: number }>();
  for (const { section, kb } of packages) {
    const own = tally.get(section) ?? { rows: 0, kb: 0 };
    tally.set(section, { rows: own.rows + 1, kb: own.kb + Number(kb) });
  }
  const best = (by: 'rows' | 'kb') => [...tally].map(([section, own]) => [section, own[by]] as const).toSorted((one, other) => other[1] - one[1]).slice(0, 10);
  assert.equal(table('packages.csv', 1, 0).map((row) => [row[0], row[1]]), best('rows'));
  assert.equal(table('packages.csv', 1, 1).map((row) => [row[0], row[1]]), best('kb'));
  for (const [, kb, mb] of table('packages.csv', 1, 1)) assert.ok(Math.abs(Number(kb) / 1024 - Number(mb)) <= 0.0501);
});

test('the heaviest rows, filters and ranges equal a plain recount', () => {
  const heaviest = packages.toSorted((one, other) => Number(other.kb) - Number(one.kb)).slice(0, 10);
  assert.equal(table('packages.csv', 3).map((row) => [row[0], row[2]]), heaviest.map(({ name: each, kb }) => [each, Number(kb)]));
  const games = packages.filter(({ section, kb }) => section === 'games' && kb !== '').map(({ kb }) => Number(kb)).toSorted((one, other) => one - other);
  assert.equal(table('packages.csv', 4).slice(0, 2).map((row) => row[1]), [games.length, games.reduce((one, other) => one + other, 0)]);
  assert.equal(table('packages.csv', 6).map((row) => row[1]), games.slice(0, 2));
  assert.equal(table('packages.csv', 5), [[packages.filter(({ dependencies }) => dependencies > 100).length]]);
  const both = packages.filter(({ kb }) => kb !== '');
  assert.is(table('packages.csv', 2, 1).reduce((total, row) => total + Number(row[1]), 0), both.length);
});

test('correlations equal those computed by hand', () => {
  const both = packages.filter(({ kb }) => kb !== '');
  const pearson = (xs: readonly number[], ys: readonly number[]) => {
    const [mx, my] = [xs, ys].map((each) => each.reduce((one, other) => one + other, 0) / each.length) as [number, number];
    const sum = (f: (index: number) => number) => xs.reduce((total, _, index) => total + f(index), 0);
    const dx = (index: number) => (xs[index] ?? 0) - mx;
    const dy = (index: number) => (ys[index] ?? 0) - my;
    return sum((index) => dx(index) * dy(index)) / Math.sqrt(sum((index) => dx(index) ** 2) * sum((index) => dy(index) ** 2));
  };
  const ranks = (values: readonly number[]) => {
    const sorted = values.toSorted((one, other) => one - other);
    const first = new Map<number, number>();
    const count = new Map<number, number>();
    sorted.forEach((value, index) => { if (!first.has(value)) first.set(value, index); count.set(value, (count.get(value) ?? 0) + 1); });
    return values.map((value) => (first.get(value) ?? 0) + ((count.get(value) ?? 1) - 1) / 2);
  };
  const [xs, ys] = [both.map(({ dependencies }) => dependencies), both.map(({ kb }) => Number(kb))];
  const [spearman, plain] = table('packages.csv', 2, 0).map((row) => Number(row[1]));
  assert.ok(Math.abs((spearman ?? 9) - pearson(ranks(xs), ranks(ys))) < 1e-4);
  assert.ok(Math.abs((plain ?? 9) - pearson(xs, ys)) < 1e-4);
});

test('countries that share a zone, and the zones furthest north and south, equal a plain recount', () => {
  const sizes = new Map<number, number>();
  for (const { countries } of zones) sizes.set(countries.length, (sizes.get(countries.length) ?? 0) + 1);
  assert.equal(table('time-zones.tsv', 1, 0), [...sizes].toSorted((one, other) => one[0] - other[0]));
  const sharing = new Set(zones.filter(({ countries }) => countries.length > 1).flatMap(({ countries }) => countries)).size;
  assert.match(answersOf('time-zones.tsv').answers[0]?.text ?? '', new RegExp(`^${sharing} of the `));
  const latitude = (place: string) => {
    const [, sign, digits] = /^([+-])(\d+)/.exec(place) ?? [];
    const [d, m, s] = [digits?.slice(0, 2), digits?.slice(2, 4), digits?.slice(4, 6) ?? '0'].map(Number) as [number, number, number];
    return (sign === '-' ? -1 : 1) * (d + m / 60 + s / 3600);
  };
  const sorted = zones.map(({ zone, place }) => [zone, latitude(place)] as const).toSorted((one, other) => one[1] - other[1]);
  const round = (rows: readonly (readonly [string, number])[]) => rows.map(([zone, angle]) => [zone, Number(angle.toFixed(4))]);
  assert.equal(table('time-zones.tsv', 2, 0), round(sorted.toReversed().slice(0, 5)));
  assert.equal(table('time-zones.tsv', 2, 1), round(sorted.slice(0, 5)));
});

test('means, medians and months of a German file equal a plain recount', () => {
  for (const [city, mean] of table(name, 1, 0)) {
    const own = sales.filter((sale) => sale.city === city);
    assert.ok(Math.abs(Number(mean) - own.reduce((total, { price }) => total + price * 10, 0) / own.length) < 0.01);
  }
  const months = Array.from({ length: 12 }, (_, month) => [`2025-${String(month + 1).padStart(2, '0')}`, sales.filter((sale) => sale.month === month + 1).reduce((total, { quantity }) => total + quantity, 0)]);
  assert.equal(table(name, 2), months);
});

test('a computation that fails says so and leaves the others standing', () => {
  assert.match(answersOf('packages.csv').answers.find(({ id }) => id === 7)?.failed ?? '', /KeyError/);
});

test('the code shown under each table gives the figures of the table', () => {
  const shown = ANSWERS.flatMap(([file, content]) => answersOf(file).answers.flatMap((answer) => answer.tables ?? []).map((each) => ({ each, file, content, load: profiled(file).load })));
  const check = (load: string, code: string) => `import json\nimport pandas as pd\nimport numpy as np\n${load}\nlines = ${JSON.stringify(code)}.split('\\n')\nexec('\\n'.join(lines[:-1]))\n*first, last = lines[-1].split('; ')\nexec('; '.join(first))\nv = eval(last)
def nums(v):
    if isinstance(v, tuple): return [n for each in v for n in nums(each)]
    if isinstance(v, pd.Series): v = v.to_frame()
    if isinstance(v, pd.DataFrame): return [float(n) for n in v.reset_index().select_dtypes('number').to_numpy().ravel() if n == n]
    return [float(v)]
print(json.dumps(nums(v)))`;
  const results = runAll(shown.map(({ each, file, content, load }) => ({ code: check(load, each.code), file: { name: file, content } })));
  assert.ok(shown.length >= 12);
  shown.forEach(({ each }, index) => {
    const run = results[index];
    assert.is(run?.err, '', each.code);
    const given = JSON.parse(run?.out ?? '[]') as number[];
    const derived = new Set(['MB', 'rows']);
    for (const row of each.rows)
      row.forEach((cell, column) => {
        if (typeof cell === 'number' && !(derived.has(each.columns[column] ?? '') && each.columns.length > 1 && each.columns.length !== 2)) assert.ok(given.some((value) => Math.abs(value - cell) <= 0.0051 + Math.abs(cell) * 1e-8), `${each.title}: ${cell} by ${each.code}`);
      });
  });
});

test.run();
