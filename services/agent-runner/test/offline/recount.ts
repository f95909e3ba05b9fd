import { readFileSync } from 'node:fs';
import { program } from '../../src/offline/python.ts';
import { latin1 } from './fixtures.ts';

const example = (name: string) => readFileSync(new URL(`../../../../examples/${name}`, import.meta.url));
export const limits = { lite: false, slug: 'x', deadline: 20, rows: 0 };
export const name = `Umsätze "2025" – O'Süd.csv`;
const source = { kind: 'table', encoding: 'utf-8', delimiter: ',', header: true, width: 10, decimal: '.', quoting: 0 };
const german = { ...source, encoding: 'latin-1', delimiter: ';', decimal: ',', width: 4 };
const number = { kind: 'number' };
const asking = (file: string, more: object): string => program('answer', { file, ...limits, ...more });

const packageAsks = asking('packages.csv', {
  source,
  wanted: ['section', 'installed_kb', 'dependencies'],
  columns: { section: { kind: 'category' }, installed_kb: number, dependencies: number, package: { kind: 'id' } },
  asks: [
    {
      id: 1,
      op: 'groups',
      by: 'section',
      n: 10,
      ascending: false,
      where: [],
      measures: [{ agg: 'count' }, { agg: 'sum', column: 'installed_kb' }],
    },
    { id: 2, op: 'relation', x: 'dependencies', y: 'installed_kb', where: [] },
    { id: 3, op: 'top', column: 'installed_kb', n: 10, ascending: false, show: ['package', 'section'], where: [] },
    {
      id: 4,
      op: 'figures',
      column: 'installed_kb',
      aggs: ['count', 'sum', 'median'],
      where: [{ is: 'equal', column: 'section', value: 'games' }],
    },
    { id: 5, op: 'count', column: null, where: [{ is: 'over', column: 'dependencies', value: 100 }] },
    {
      id: 6,
      op: 'top',
      column: 'installed_kb',
      n: 2,
      ascending: true,
      show: ['package'],
      where: [{ is: 'equal', column: 'section', value: 'games' }],
    },
    { id: 7, op: 'groups', by: 'no such column', n: 3, measures: [{ agg: 'count' }] },
  ],
});
const zoneAsks = asking('time-zones.tsv', {
  source: { ...source, delimiter: '\t', width: 4 },
  wanted: ['country_codes', 'coordinates', 'time_zone'],
  columns: {
    country_codes: { kind: 'list', separator: ',' },
    coordinates: { kind: 'coordinates' },
    time_zone: { kind: 'id' },
  },
  asks: [
    { id: 1, op: 'sharing', column: 'country_codes', n: 10, show: ['time_zone'] },
    {
      id: 2,
      op: 'extremes',
      place: 'coordinates',
      latitude: null,
      longitude: null,
      ways: ['north', 'south'],
      n: 5,
      show: ['time_zone'],
    },
  ],
});
const saleAsks = asking(name, {
  source: german,
  wanted: ['Stadt', 'Menge', 'Preis', 'Datum'],
  columns: { Stadt: { kind: 'category' }, Menge: number, Preis: number, Datum: { kind: 'date', form: '%d.%m.%Y' } },
  asks: [
    {
      id: 1,
      op: 'groups',
      by: 'Stadt',
      n: 5,
      measures: [
        { agg: 'mean', column: 'Preis' },
        { agg: 'median', column: 'Menge' },
      ],
    },
    { id: 2, op: 'trend', column: 'Datum', unit: 'month', measure: { agg: 'sum', column: 'Menge' } },
  ],
});
export const ANSWERS: readonly (readonly [string, Uint8Array, string])[] = [
  ['packages.csv', example('debian-packages.csv'), packageAsks],
  ['time-zones.tsv', example('time-zones.tsv'), zoneAsks],
  [name, latin1, saleAsks],
];

/** Package rows read without pandas; no cell of the example holds a quoted comma in these columns. */
export const packages = example('debian-packages.csv')
  .toString()
  .trim()
  .split('\n')
  .slice(1)
  .map((line) => line.split(/,(?=(?:[^"]*"[^"]*")*[^"]*$)/))
  .map((cells) => ({
    name: cells[0] ?? '',
    section: cells[2] ?? '',
    kb: cells[5] ?? '',
    dependencies: Number(cells[7]),
  }));
export const zones = example('time-zones.tsv')
  .toString()
  .trimEnd()
  .split('\n')
  .slice(1)
  .map((line) => line.split('\t'))
  .map((cells) => ({ countries: (cells[0] ?? '').split(','), place: cells[1] ?? '', zone: cells[2] ?? '' }));

/** Figures computed without pandas, to hold the others against. */
export const pearson = (xs: readonly number[], ys: readonly number[]) => {
  const [mx, my] = [xs, ys].map((each) => each.reduce((one, other) => one + other, 0) / each.length) as [
    number,
    number,
  ];
  const sum = (f: (index: number) => number) => xs.reduce((total, _, index) => total + f(index), 0);
  const dx = (index: number) => (xs[index] ?? 0) - mx;
  const dy = (index: number) => (ys[index] ?? 0) - my;
  return (
    sum((index) => dx(index) * dy(index)) / Math.sqrt(sum((index) => dx(index) ** 2) * sum((index) => dy(index) ** 2))
  );
};
export const ranks = (values: readonly number[]) => {
  const sorted = values.toSorted((one, other) => one - other);
  const first = new Map<number, number>();
  const count = new Map<number, number>();
  sorted.forEach((value, index) => {
    if (!first.has(value)) first.set(value, index);
    count.set(value, (count.get(value) ?? 0) + 1);
  });
  return values.map((value) => (first.get(value) ?? 0) + ((count.get(value) ?? 1) - 1) / 2);
};
