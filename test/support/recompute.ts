/**
 * Tables of a report computed again from the raw file, by the definitions that stand in the report's own words and code lines,
 * in another language and without a look at the program that made them.
 */
import type { ReportTable } from './report.ts';

export type Row = Readonly<Record<string, string>>;
type Cell = string | number;
type Rule = (rows: readonly Row[], table: ReportTable, names: readonly string[]) => readonly (readonly Cell[])[];

/** Rows of a delimited text with a header whose cells hold neither quotes nor line breaks. */
export function rowsOf(text: string, delimiter: string): readonly Row[] {
  const [header = '', ...lines] = text.trimEnd().split(/\r?\n/);
  const names = header.split(delimiter);
  return lines.map((line) => {
    const values = line.split(delimiter);
    return Object.fromEntries(names.map((name, at) => [name, values[at] ?? '']));
  });
}

const known = (row: Row, name: string): boolean => (row[name] ?? '') !== '';
const number = (row: Row, name: string): number => Number(row[name]);
const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
const mean = (values: readonly number[]): number => sum(values) / values.length;
const byText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const half = Math.floor(sorted.length / 2);
  return sorted.length % 2 ? (sorted[half] ?? NaN) : ((sorted[half - 1] ?? NaN) + (sorted[half] ?? NaN)) / 2;
}

/** Mean ranks, ties sharing theirs. */
function ranks(values: readonly number[]): number[] {
  const places = new Map<number, number[]>();
  for (const [at, value] of values.toSorted((a, b) => a - b).entries())
    places.set(value, [...(places.get(value) ?? []), at + 1]);
  return values.map((value) => mean(places.get(value) ?? []));
}

function pearson(a: readonly number[], b: readonly number[]): number {
  const [am, bm] = [mean(a), mean(b)];
  const off = (values: readonly number[], middle: number): number => sum(values.map((value) => (value - middle) ** 2));
  return sum(a.map((value, at) => (value - am) * ((b[at] ?? 0) - bm))) / Math.sqrt(off(a, am) * off(b, bm));
}

/** Degrees of the first half of `+DDMM[SS]+DDDMM[SS]` (ISO 6709). */
function latitude(place: string): number {
  const [, sign, degrees, minutes, seconds = '0'] = /^([+-])(\d\d)(\d\d)(\d\d)?[+-]/.exec(place) ?? [];
  return (sign === '-' ? -1 : 1) * (Number(degrees) + Number(minutes) / 60 + Number(seconds) / 3600);
}

function groupsOf(rows: readonly Row[], by: string): ReadonlyMap<string, readonly Row[]> {
  const groups = new Map<string, Row[]>();
  for (const row of rows.filter((one) => known(one, by))) {
    const group = groups.get(row[by] ?? '') ?? [];
    group.push(row);
    groups.set(row[by] ?? '', group);
  }
  return groups;
}

/** The `n` largest, ties by name. */
function largest(entries: readonly (readonly [string, ...number[]])[], n: number): typeof entries {
  return entries.toSorted((a, b) => (b[1] ?? 0) - (a[1] ?? 0) || byText(a[0], b[0])).slice(0, n);
}

/** One unit up: 1 MB = 1024 kB. */
const megabytes = (kilobytes: number): number => kilobytes / 1024;

const items = (row: Row, name: string): number => (row[name] ?? '').split(',').length;

function range(label: string): readonly [number, number] {
  const [low = NaN, high = low] = label.split(' to ').map(Number);
  return [low, high];
}

const furthest =
  (sign: 1 | -1): Rule =>
  (rows, { columns, header, rows: shown }) => {
    const place = columns.find((name) => rows.some((row) => /^[+-]\d{4}/.test(row[name] ?? ''))) ?? '';
    return rows
      .map((row) => [row[header[0] ?? ''] ?? '', latitude(row[place] ?? '')] as const)
      .toSorted((a, b) => sign * (a[1] - b[1]))
      .slice(0, shown.length);
  };

/** A caption, and how a table under it comes about. Names in the caption are handed on in order. */
const rules: readonly (readonly [RegExp, Rule])[] = [
  [
    /^rows by number of items in (.+)$/i,
    (rows, _table, [name = '']) => {
      const counts = Map.groupBy(rows, (row) => items(row, name));
      return [...counts].map(([many, group]) => [many, group.length]).toSorted((a, b) => (a[0] ?? 0) - (b[0] ?? 0));
    },
  ],
  [
    /^rows with the most items in (.+)$/i,
    (rows, { header, rows: shown }, [name = '']) =>
      rows
        .toSorted((a, b) => items(b, name) - items(a, name))
        .slice(0, shown.length)
        .map((row) => [row[header[0] ?? ''] ?? '', items(row, name), (row[name] ?? '').replaceAll(',', ', ')]),
  ],
  [
    /^rows by (.+)$/i,
    (rows, { rows: shown }, [by = '']) =>
      largest(
        [...groupsOf(rows, by)].map(([name, group]) => [name, group.length]),
        shown.length,
      ),
  ],
  [
    /^sum of (.+) by (.+)$/i,
    (rows, { rows: shown }, [name = '', by = '']) => {
      const all = [...groupsOf(rows, by)].map(([group, own]) => {
        const total = sum(own.filter((row) => known(row, name)).map((row) => number(row, name)));
        return [group, total, megabytes(total), own.length] as const;
      });
      return largest(all, shown.length);
    },
  ],
  [
    /^correlation of (.+) and (.+)$/i,
    (rows, _table, [x = '', y = '']) => {
      const both = rows.filter((row) => known(row, x) && known(row, y));
      const [a, b] = [both.map((row) => number(row, x)), both.map((row) => number(row, y))];
      return [
        ['Spearman', pearson(ranks(a), ranks(b)), both.length],
        ['Pearson', pearson(a, b), both.length],
      ];
    },
  ],
  [
    /^(.+) by range of (.+)$/i,
    (rows, { rows: shown, columns }, [said = '', x = '']) => {
      const y = columns.find((name) => name.toLowerCase() === said.toLowerCase()) ?? said;
      return shown.map(([label = '']) => {
        const [low, high] = range(label);
        const own = rows.filter(
          (row) => known(row, x) && known(row, y) && number(row, x) >= low && number(row, x) <= high,
        );
        const values = own.map((row) => number(row, y));
        return [label, values.length, median(values), mean(values), Math.max(...values)];
      });
    },
  ],
  [
    /^top \d+ by (.+)$/i,
    (rows, { header, rows: shown }, [name = '']) =>
      rows
        .filter((row) => known(row, name))
        .toSorted((a, b) => number(b, name) - number(a, name))
        .slice(0, shown.length)
        .map((row) =>
          header.map((title) => {
            if (title === 'MB') return megabytes(number(row, name));
            return title === name ? number(row, name) : (row[title] ?? '');
          }),
        ),
  ],
  [/^furthest north$/i, furthest(-1)],
  [/^furthest south$/i, furthest(1)],
];

/** What the table should hold. @throws when nothing here knows how such a table comes about */
export function recomputed(table: ReportTable, rows: readonly Row[]): readonly (readonly Cell[])[] {
  for (const [pattern, rule] of rules) {
    const match = pattern.exec(table.caption);
    if (match) return rule(rows, table, match.slice(1));
  }
  throw new Error(`no definition is known for the table "${table.caption}"`);
}

/** Whether a printed cell says the value: the same text, or the number rounded to the decimals that are printed. */
export function says(printed: string, value: Cell | undefined): boolean {
  if (typeof value !== 'number') return printed === value;
  if (!/^[+-]?\d+(\.\d+)?$/.test(printed)) return false;
  const decimals = printed.split('.')[1]?.length ?? 0;
  return Math.abs(Number(printed) - value) <= 0.5 * 10 ** -decimals * (Number.isInteger(value) ? 0 : 1.000001);
}
