import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type Answers, printed } from '../../src/offline/profile.ts';
import { program } from '../../src/offline/python.ts';
import { sales } from './fixtures.ts';
import { type Ran, runAll } from './python.ts';
import { ANSWERS, limits, name, packages, pearson, ranks, zones } from './recount.ts';

let ran: readonly Ran[] = [];
/** The load lines of the same files, from their profiles. */
const loadOf = (file: string): string => {
  const found = printed(ran[ANSWERS.length + ANSWERS.findIndex(([each]) => each === file)]?.out ?? '');
  return found?.phase === 'profile' ? found.load : '';
};
const answersOf = (file: string): Answers => {
  const run = ran[ANSWERS.findIndex(([each]) => each === file)];
  const found = printed(run?.out ?? '');
  if (found?.phase !== 'answer') throw new Error(`no answers: ${run?.err}`);
  return found;
};
const table = (file: string, id: number, which = 0) =>
  answersOf(file).answers.find((answer) => answer.id === id)?.tables[which]?.rows ?? [];
test.before(() => {
  const files = ANSWERS.map(([name, content]) => ({ name, content }));
  ran = runAll([
    ...ANSWERS.map(([, , code], at) => ({ code, ...(files[at] && { file: files[at] }) })),
    ...files.map((file) => ({ code: program('profile', { file: file.name, ...limits }), file })),
  ]);
});

test('groups by count and by sum equal a plain recount', () => {
  const tally = new Map<string, { rows: number; kb: number }>();
  for (const { section, kb } of packages) {
    const own = tally.get(section) ?? { rows: 0, kb: 0 };
    tally.set(section, { rows: own.rows + 1, kb: own.kb + Number(kb) });
  }
  const best = (by: 'rows' | 'kb') =>
    [...tally]
      .map(([section, own]) => [section, own[by]] as const)
      .toSorted((one, other) => other[1] - one[1])
      .slice(0, 10);
  assert.equal(
    table('packages.csv', 1, 0).map((row) => [row[0], row[1]]),
    best('rows'),
  );
  assert.equal(
    table('packages.csv', 1, 1).map((row) => [row[0], row[1]]),
    best('kb'),
  );
  for (const [, kb, mb] of table('packages.csv', 1, 1)) assert.ok(Math.abs(Number(kb) / 1024 - Number(mb)) <= 0.0501);
});

test('the heaviest rows, filters and ranges equal a plain recount', () => {
  const heaviest = packages.toSorted((one, other) => Number(other.kb) - Number(one.kb)).slice(0, 10);
  assert.equal(
    table('packages.csv', 3).map((row) => [row[0], row[2]]),
    heaviest.map(({ name: each, kb }) => [each, Number(kb)]),
  );
  const games = packages
    .filter(({ section, kb }) => section === 'games' && kb !== '')
    .map(({ kb }) => Number(kb))
    .toSorted((one, other) => one - other);
  assert.equal(
    table('packages.csv', 4)
      .slice(0, 2)
      .map((row) => row[1]),
    [games.length, games.reduce((one, other) => one + other, 0)],
  );
  assert.equal(
    table('packages.csv', 6).map((row) => row[1]),
    games.slice(0, 2),
  );
  assert.equal(table('packages.csv', 5), [[packages.filter(({ dependencies }) => dependencies > 100).length]]);
  const both = packages.filter(({ kb }) => kb !== '');
  assert.is(
    table('packages.csv', 2, 1).reduce((total, row) => total + Number(row[1]), 0),
    both.length,
  );
});

test('correlations equal those computed by hand', () => {
  const both = packages.filter(({ kb }) => kb !== '');
  const [xs, ys] = [both.map(({ dependencies }) => dependencies), both.map(({ kb }) => Number(kb))];
  const [spearman, plain] = table('packages.csv', 2, 0).map((row) => Number(row[1]));
  assert.ok(Math.abs((spearman ?? 9) - pearson(ranks(xs), ranks(ys))) < 1e-4);
  assert.ok(Math.abs((plain ?? 9) - pearson(xs, ys)) < 1e-4);
});

test('countries that share a zone, and the zones furthest north and south, equal a plain recount', () => {
  const sizes = new Map<number, number>();
  for (const { countries } of zones) sizes.set(countries.length, (sizes.get(countries.length) ?? 0) + 1);
  assert.equal(
    table('time-zones.tsv', 1, 0),
    [...sizes].toSorted((one, other) => one[0] - other[0]),
  );
  const sharing = new Set(zones.filter(({ countries }) => countries.length > 1).flatMap(({ countries }) => countries))
    .size;
  assert.match(answersOf('time-zones.tsv').answers[0]?.text ?? '', new RegExp(`^${sharing} of the `));
  const latitude = (place: string) => {
    const [, sign, digits] = /^([+-])(\d+)/.exec(place) ?? [];
    const [d, m, s] = [digits?.slice(0, 2), digits?.slice(2, 4), digits?.slice(4, 6) ?? '0'].map(Number) as [
      number,
      number,
      number,
    ];
    return (sign === '-' ? -1 : 1) * (d + m / 60 + s / 3600);
  };
  const sorted = zones
    .map(({ zone, place }) => [zone, latitude(place)] as const)
    .toSorted((one, other) => one[1] - other[1]);
  const round = (rows: readonly (readonly [string, number])[]) =>
    rows.map(([zone, angle]) => [zone, Number(angle.toFixed(4))]);
  assert.equal(table('time-zones.tsv', 2, 0), round(sorted.toReversed().slice(0, 5)));
  assert.equal(table('time-zones.tsv', 2, 1), round(sorted.slice(0, 5)));
});

test('means, medians and months of a German file equal a plain recount', () => {
  for (const [city, mean] of table(name, 1, 0)) {
    const own = sales.filter((sale) => sale.city === city);
    assert.ok(Math.abs(Number(mean) - own.reduce((total, { price }) => total + price * 10, 0) / own.length) < 0.01);
  }
  const months = Array.from({ length: 12 }, (_, month) => [
    `2025-${String(month + 1).padStart(2, '0')}`,
    sales.filter((sale) => sale.month === month + 1).reduce((total, { quantity }) => total + quantity, 0),
  ]);
  assert.equal(table(name, 2), months);
});

test('a computation that fails says so and leaves the others standing', () => {
  assert.match(answersOf('packages.csv').answers.find(({ id }) => id === 7)?.failed ?? '', /KeyError/);
});

test('the code shown under each table gives the figures of the table', () => {
  const shown = ANSWERS.flatMap(([file, content]) =>
    answersOf(file)
      .answers.flatMap((answer) => answer.tables ?? [])
      .map((each) => ({ each, file, content, load: loadOf(file) })),
  );
  const check = (
    load: string,
    code: string,
  ) => `import json\nimport pandas as pd\nimport numpy as np\n${load}\nlines = ${JSON.stringify(code)}.split('\\n')\nexec('\\n'.join(lines[:-1]))\n*first, last = lines[-1].split('; ')\nexec('; '.join(first))\nv = eval(last)
def nums(v):
    if isinstance(v, tuple): return [n for each in v for n in nums(each)]
    if isinstance(v, pd.Series): v = v.to_frame()
    if isinstance(v, pd.DataFrame): return [float(n) for n in v.reset_index().select_dtypes('number').to_numpy().ravel() if n == n]
    return [float(v)]
print(json.dumps(nums(v)))`;
  const results = runAll(
    shown.map(({ each, file, content, load }) => ({ code: check(load, each.code), file: { name: file, content } })),
  );
  assert.ok(shown.length >= 12);
  shown.forEach(({ each }, index) => {
    const run = results[index];
    assert.is(run?.err, '', each.code);
    const given = JSON.parse(run?.out ?? '[]') as number[];
    const derived = new Set(['MB', 'rows']);
    for (const row of each.rows)
      row.forEach((cell, column) => {
        if (
          typeof cell === 'number' &&
          !(derived.has(each.columns[column] ?? '') && each.columns.length > 1 && each.columns.length !== 2)
        )
          assert.ok(
            given.some((value) => Math.abs(value - cell) <= 0.0051 + Math.abs(cell) * 1e-8),
            `${each.title}: ${cell} by ${each.code}`,
          );
      });
  });
});

test.run();
