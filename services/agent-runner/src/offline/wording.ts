import { measureFor, rowWords, spokenOf, superlative } from './columns.ts';
import type { Measure, Test } from './asks.ts';
import type { Column, Profile } from './profile.ts';
import { stems } from './words.ts';

export interface Context {
  readonly text: string;
  readonly words: readonly string[];
  readonly brief: string;
  readonly profile: Profile;
}

export const name = (column: Column): string => column.name;
export const show = (profile: Profile, but = ''): readonly string[] => profile.labels.filter((label) => label !== but).slice(0, 2);

/** Filters that the question names: a quoted value, a common value after `in` or `of`, a bound on a named number. */
export function tests({ text, words, profile }: Context): readonly Test[] {
  const quoted = [...text.matchAll(/["“'‘]([^"”'’]{1,60})["”'’]/g)].map((match) => match[1] ?? '');
  const group = spokenOf(words, profile, ['category'])[0]?.column;
  const equal = quoted.flatMap((value): Test[] => (group ? [{ is: 'equal', column: group.name, value }] : []));
  const bound = /\b(more than|over|above|at least|less than|under|below)\s+(\d+(?:\.\d+)?)\b/i.exec(text);
  const measure = spokenOf(words, profile, ['number'])[0]?.column;
  const numeric: Test[] = bound && measure ? [{ is: /less|under|below/i.test(bound[1] ?? '') ? 'under' : 'over', column: measure.name, value: Number(bound[2]) }] : [];
  return [...(equal.length > 0 ? equal : common(text, profile)), ...numeric];
}

function common(text: string, profile: Profile): readonly Test[] {
  const said = new Set([...text.matchAll(/\b(?:in|for|from|of|where|is|named|called|with)\s+(?:the\s+)?([\p{L}\p{N}_-]{3,40})/giu)].map((match) => (match[1] ?? '').toLowerCase()));
  for (const column of profile.columns)
    for (const [value] of column.kind === 'category' ? (column.top ?? []) : [])
      if (said.has(value.toLowerCase()) && !rowWords(profile).has(value.toLowerCase())) return [{ is: 'equal', column: column.name, value }];
  return [];
}

export const measureWords = (measure: Measure): string => (measure.agg === 'count' ? 'number of rows' : `${measure.agg} of ${measure.column}`);

function aggOf(text: string): Exclude<Measure['agg'], 'count'> {
  if (/\b(?:average|mean|typical)\b/i.test(text)) return 'mean';
  if (/\bmedian\b/i.test(text)) return 'median';
  return /\b(?:maximum|peak)\b/i.test(text) ? 'max' : /\bminimum\b/i.test(text) ? 'min' : 'sum';
}

/** The measures of a question, one for each `most …`, `total …`, `average …` in it. */
export function measures({ text, brief, profile }: Context): readonly Measure[] {
  const parts = text.split(/(?=\b(?:most|highest|largest|biggest|heaviest|fewest|lowest|least|smallest|total|average|mean|median|sum|maximum|minimum|number of)\b)/i);
  const rows = rowWords(profile);
  const found = parts.slice(parts.length > 1 ? 1 : 0).flatMap((part): Measure[] => {
    const column = measureFor(part, superlative(part)?.word ?? '', brief, profile);
    if (column) return [{ agg: aggOf(part), column: column.name }];
    return stems(part).some((word) => rows.has(word)) || /\b(?:frequent|common|number of)\b/i.test(part) ? [{ agg: 'count' }] : [];
  });
  return found.filter((measure, at) => found.findIndex((other) => measureWords(other) === measureWords(measure)) === at).slice(0, 4);
}
