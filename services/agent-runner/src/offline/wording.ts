import { measureFor, rowWords, spokenOf, superlative } from './columns.ts';
import type { Measure, Test } from './asks.ts';
import type { Column, Profile } from './profile.ts';
import { isNumber, stem, stems } from './words.ts';

export interface Context {
  readonly text: string;
  readonly words: readonly string[];
  readonly brief: string;
  readonly profile: Profile;
}

export const name = (column: Column): string => column.name;
export const show = (profile: Profile, but = ''): readonly string[] =>
  profile.labels.filter((label) => label !== but).slice(0, 2);

const QUOTED = /["“‘]([^"”’]{1,60})["”’]/;
const BOUND = /\b(more than|over|above|less than|under|below)\s+(\d+(?:\.\d+)?)\b/i;
const KINDS = ['number', 'category', 'id', 'text', 'date', 'list', 'coordinates'] as const;

/** Filters that the question names: a quoted value, a common value after `in` or `of`, a bound on a named number. */
export function tests({ text, words, profile }: Context): readonly Test[] {
  const quoted = [...text.matchAll(new RegExp(QUOTED, 'g'))].map((match) => match[1] ?? '');
  const group = spokenOf(words, profile, ['category'])[0]?.column;
  const equal = quoted.flatMap((value): Test[] => (group ? [{ is: 'equal', column: group.name, value }] : []));
  const bound = BOUND.exec(text);
  const measure = spokenOf(words, profile, ['number'])[0]?.column;
  const numeric: Test[] =
    bound && measure
      ? [
          {
            is: /less|under|below/i.test(bound[1] ?? '') ? 'under' : 'over',
            column: measure.name,
            value: Number(bound[2]),
          },
        ]
      : [];
  return [...(equal.length > 0 ? equal : common(text, profile)), ...numeric];
}

/** Whether the question names a bound or a value that no column of this file explains: to leave it out would be a guess. */
export function filterLost(context: Context): boolean {
  const found = tests(context);
  const bound =
    BOUND.test(context.text) && !/more than one/i.test(context.text) && !found.some((test) => test.is !== 'equal');
  return bound || (QUOTED.test(context.text) && !found.some((test) => test.is === 'equal'));
}

const GENERIC = new Set(
  'list show occur appear give tell rank count compare find name number total average mean median sum most least top bottom best worst large small heavy light hold contain reach include make row highest lowest largest smallest biggest greatest heaviest lightest longest shortest cheapest expensive fewest maximum minimum common frequent often value overall whole order rate see please'
    .split(' ')
    .map(stem),
);

/** Words of a question that neither the file's columns and rows nor everyday verbs explain. */
export function unexplained({ words, profile }: Context): readonly string[] {
  const rows = rowWords(profile);
  return words.filter(
    (word) =>
      !GENERIC.has(word) && !rows.has(word) && !isNumber(word) && spokenOf([word], profile, KINDS, 0.1).length === 0,
  );
}

function common(text: string, profile: Profile): readonly Test[] {
  const said = new Set(
    [...text.matchAll(/\b(?:in|for|from|of|where|is|named|called|with)\s+(?:the\s+)?([\p{L}\p{N}_-]{3,40})/giu)].map(
      (match) => (match[1] ?? '').toLowerCase(),
    ),
  );
  for (const column of profile.columns)
    for (const [value] of column.kind === 'category' ? (column.top ?? []) : [])
      if (said.has(value.toLowerCase()) && !rowWords(profile).has(value.toLowerCase()))
        return [{ is: 'equal', column: column.name, value }];
  return [];
}

export const measureWords = (measure: Measure): string =>
  measure.agg === 'count' ? 'number of rows' : `${measure.agg} of ${measure.column}`;

function aggOf(text: string): Exclude<Measure['agg'], 'count'> {
  if (/\b(?:average|mean|typical)\b/i.test(text)) return 'mean';
  if (/\bmedian\b/i.test(text)) return 'median';
  return /\b(?:maximum|peak)\b/i.test(text) ? 'max' : /\bminimum\b/i.test(text) ? 'min' : 'sum';
}

/** The measures of a question, one for each `most …`, `total …`, `average …` in it. */
export function measures({ text, brief, profile }: Context): readonly Measure[] {
  const parts = text.split(
    /(?=\b(?:most|highest|largest|biggest|heaviest|fewest|lowest|least|smallest|total|average|mean|median|sum|maximum|minimum|number of)\b)/i,
  );
  const rows = rowWords(profile);
  const found = parts.slice(parts.length > 1 ? 1 : 0).flatMap((part): Measure[] => {
    const column = measureFor(part, superlative(part)?.word ?? '', brief, profile);
    if (column) return [{ agg: aggOf(part), column: column.name }];
    return stems(part).some((word) => rows.has(word)) || /\b(?:frequent|common|number of)\b/i.test(part)
      ? [{ agg: 'count' }]
      : [];
  });
  return found
    .filter((measure, at) => found.findIndex((other) => measureWords(other) === measureWords(measure)) === at)
    .slice(0, 4);
}
