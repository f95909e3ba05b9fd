import type { Column, Profile } from './profile.ts';
import { overlap, stem, stems, tokens } from './words.ts';

const UNITS = new Set([
  'kb',
  'kib',
  'mb',
  'gb',
  'byte',
  'id',
  'code',
  'nr',
  'no',
  'name',
  'eur',
  'usd',
  'kg',
  'cm',
  'value',
]);

/** Words of everyday speech and the column words that they stand for. */
const SAID: Readonly<Record<string, readonly string[]>> = {
  heavy: ['weight', 'kg', 'mass', 'gewicht', 'size', 'kb', 'byte', 'mb'],
  large: ['size', 'kb', 'byte', 'mb', 'area', 'volume', 'amount', 'population', 'total', 'value'],
  expensive: ['price', 'cost', 'preis', 'amount'],
  long: ['length', 'duration', 'minute', 'hour', 'lange'],
  populous: ['population', 'inhabitant'],
  rich: ['revenue', 'income', 'sale', 'umsatz'],
  megabyte: ['kb', 'byte', 'mb', 'size'],
  kilobyte: ['kb', 'byte', 'size'],
  mb: ['kb', 'byte', 'size'],
  gigabyte: ['kb', 'byte', 'mb', 'gb'],
  size: ['kb', 'byte', 'mb', 'length'],
  country: ['land', 'country'],
  cost: ['price'],
  price: ['cost', 'preis'],
  town: ['city', 'stadt'],
  city: ['town', 'stadt', 'ort'],
  revenue: ['sale', 'umsatz', 'amount'],
  sale: ['revenue', 'umsatz', 'quantity'],
  date: ['datum', 'day', 'time'],
};

const SUPERLATIVES: readonly (readonly [RegExp, string, boolean])[] = [
  [/\bheaviest\b/i, 'heavy', false],
  [/\blightest\b/i, 'heavy', true],
  [/\b(?:largest|biggest|greatest|huge)\b/i, 'large', false],
  [/\bsmallest\b/i, 'large', true],
  [/\b(?:most expensive|dearest|priciest)\b/i, 'expensive', false],
  [/\b(?:cheapest|least expensive)\b/i, 'expensive', true],
  [/\blongest\b/i, 'long', false],
  [/\bshortest\b/i, 'long', true],
  [/\bmost populous\b/i, 'populous', false],
  [/\bhighest\b/i, '', false],
  [/\b(?:lowest|fewest|least)\b/i, '', true],
  [/\b(?:top|best|most|maximum)\b/i, '', false],
  [/\b(?:bottom|worst|minimum)\b/i, '', true],
];

/** What a superlative asks for: words of a measure, and whether small comes first. */
export function superlative(text: string): { readonly word: string; readonly ascending: boolean } | null {
  const found = SUPERLATIVES.find(([pattern]) => pattern.test(text));
  return found ? { word: found[1], ascending: found[2] } : null;
}

const core = (column: Column): readonly string[] => {
  const every = tokens(column.name).map(stem);
  const telling = every.filter((word) => !UNITS.has(word));
  return telling.length > 0 ? telling : every;
};

/** How well words speak of a column: 2 a word of its name, 1 a synonym, in proportion to the length of the name. */
function fit(column: Column, said: ReadonlySet<string>): number {
  const name = core(column);
  const meant = new Set([...said].flatMap((word) => SAID[word] ?? []));
  const units = tokens(column.name).map(stem);
  return (2 * overlap(name, said)) / name.length + (overlap(units, meant) > 0 ? 0.5 : 0);
}

export interface Match {
  readonly column: Column;
  readonly score: number;
}

/** Columns of some kinds that words speak of, best first; at the same score in the order of the file. */
export function spokenOf(
  words: readonly string[],
  profile: Profile,
  kinds: readonly Column['kind'][],
  least = 0.5,
): readonly Match[] {
  const said = new Set(words.map(stem));
  return profile.columns
    .filter((column) => kinds.includes(column.kind))
    .map((column) => ({ column, score: fit(column, said) }))
    .filter(({ score }) => score >= least)
    .sort((one, other) => other.score - one.score);
}

/** What a row of the file is, in the words of its name and of the column that names its rows. */
export function rowWords(profile: Profile): ReadonlySet<string> {
  const label = profile.columns.find((column) => column.name === profile.labels[0] && column.kind === 'id');
  return new Set([
    ...stems(profile.file.replace(/\.[^.]*$/, '')),
    ...(label ? core(label) : []),
    'row',
    'record',
    'entry',
    'line',
    'item',
  ]);
}

/** The measure that a superlative means: one named in the words, else the size-like column that the brief speaks of most. */
export function measureFor(text: string, word: string, brief: string, profile: Profile): Column | null {
  const named = spokenOf([...stems(text), word], profile, ['number']).filter(({ column }) => !column.axis);
  const best = named[0]?.score ?? 0;
  const equals = named.filter(({ score }) => score === best).map(({ column }) => column);
  if (equals.length === 0) return null;
  const said = new Set(stems(brief));
  const mentions = (column: Column) => overlap(core(column), said);
  return equals.reduce((chosen, column) => (mentions(column) > mentions(chosen) ? column : chosen));
}
