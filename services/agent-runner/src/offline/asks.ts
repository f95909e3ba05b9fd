import { measureFor, rowWords, spokenOf, superlative } from './columns.ts';
import type { Column, Profile } from './profile.ts';
import type { Question } from './questions.ts';
import { amount, stems, tokens } from './words.ts';

type Measure = { readonly agg: 'count' } | { readonly agg: 'sum' | 'mean' | 'median' | 'min' | 'max'; readonly column: string };
type Test = { readonly is: 'equal'; readonly column: string; readonly value: string } | { readonly is: 'over' | 'under'; readonly column: string; readonly value: number };
type Way = 'north' | 'south' | 'east' | 'west';

/** What Python is to compute for one question. */
export type Work =
  | { readonly op: 'groups'; readonly by: string; readonly measures: readonly Measure[]; readonly n: number; readonly ascending: boolean; readonly where: readonly Test[] }
  | { readonly op: 'relation'; readonly x: string; readonly y: string; readonly where: readonly Test[] }
  | { readonly op: 'top'; readonly column: string; readonly n: number; readonly ascending: boolean; readonly show: readonly string[]; readonly where: readonly Test[] }
  | { readonly op: 'extremes'; readonly place: string | null; readonly latitude: string | null; readonly longitude: string | null; readonly ways: readonly Way[]; readonly n: number; readonly show: readonly string[] }
  | { readonly op: 'sharing'; readonly column: string; readonly n: number; readonly show: readonly string[] }
  | { readonly op: 'count'; readonly column: string | null; readonly where: readonly Test[] }
  | { readonly op: 'figures'; readonly column: string; readonly aggs: readonly string[]; readonly where: readonly Test[] }
  | { readonly op: 'trend'; readonly column: string; readonly unit: 'year' | 'month' | 'day'; readonly measure: Measure };

/** How a question is met: by a computation, or by what the profile already holds. `reading` says how the rules understood it. */
export type Ask = { readonly reading: string } & (
  | { readonly from: 'work'; readonly work: Work }
  | { readonly from: 'profile'; readonly part: 'oddities' | 'missing' | 'duplicates' | 'words' | 'lengths' | 'overview' });

interface Context {
  readonly text: string;
  readonly words: readonly string[];
  readonly brief: string;
  readonly profile: Profile;
}

const BEYOND = /\b(?:why|should|recommend|explain|predict|forecast|translate|opinion|argue|sentiment|meaning|cause|because|advise|suggest|rewrite|who is|what is the best)\b/i;
const GROUPING = ['category', 'list', 'text', 'id', 'date'] as const;
const name = (column: Column): string => column.name;
const show = (profile: Profile, but = ''): readonly string[] => profile.labels.filter((label) => label !== but).slice(0, 2);

/** Filters that the question names: a quoted value, a common value after `in` or `of`, a bound on a named number. */
function tests({ text, words, profile }: Context): readonly Test[] {
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

const work = (reading: string, made: Work): Ask => ({ from: 'work', reading, work: made });
const held = (reading: string, part: Extract<Ask, { from: 'profile' }>['part']): Ask => ({ from: 'profile', reading, part });

function fromProfile({ text, profile }: Context): Ask | null {
  if (/\b(?:odd|oddities|strange|unusual|suspicious|anomal\w*|outliers?|weird|quality|wrong|errors?)\b/i.test(text)) return held('what the fixed checks of the profile found', 'oddities');
  if (/\b(?:missing|empty|blank|incomplete|gaps?)\b/i.test(text)) return held('missing values of each column', 'missing');
  if (/\b(?:duplicates?|repeated|twice)\b/i.test(text)) return held('rows that repeat', 'duplicates');
  if (profile.kind === 'text') {
    if (/\blongest|shortest|length\b/i.test(text)) return held('the longest lines', 'lengths');
    if (/\bwords?|terms?|frequent|common\b/i.test(text) && !/how many/i.test(text)) return held('the most frequent words', 'words');
  }
  const general = /\b(?:summari[sz]e|describe|overview|profile|what is in|what does .* (?:hold|contain)|analy[sz]e)\b/i.test(text) || (profile.kind === 'text' && /how (?:many|long)/i.test(text));
  return general ? held('the profile of the file; not what it means', 'overview') : null;
}

function extremes({ text, profile }: Context): Ask | null {
  const ways = (['north', 'south', 'east', 'west'] as const).filter((way) => new RegExp(String.raw`\b${way}(?:ern|ernmost|most|wards?)?\b`, 'i').test(text));
  const place = profile.columns.find((column) => column.kind === 'coordinates')?.name ?? null;
  const axis = (wanted: Column['axis']) => profile.columns.find((column) => column.axis === wanted)?.name ?? null;
  const [latitude, longitude] = [axis('latitude'), axis('longitude')];
  const known = ways.filter((way) => place !== null || (/north|south/.test(way) ? latitude : longitude) !== null);
  if (known.length === 0) return null;
  return work(`rows with the extreme ${/north|south/.test(known.join()) ? 'latitude' : 'longitude'}: ${known.join(' and ')}`, { op: 'extremes', place, latitude, longitude, ways: known, n: amount(text, 5), show: show(profile) });
}

function relation(context: Context): Ask | null {
  if (!/\b(?:relat\w*|correlat\w*|depends? on|affects?|influences?|versus|vs|against|connection|link(?:ed)?|association)\b/i.test(context.text)) return null;
  const pair = spokenOf(context.words, context.profile, ['number']).slice(0, 2).map(({ column }) => column);
  const [one, other] = pair.toSorted((a, b) => place(context.text, a) - place(context.text, b));
  if (!one || !other) return null;
  return work(`${one.name} against ${other.name}, rank and linear correlation`, { op: 'relation', x: other.name, y: one.name, where: tests(context).filter((test) => test.is === 'equal') });
}

/** Where a column is first spoken of. */
function place(text: string, column: Column): number {
  const named = new Set(stems(column.name));
  const at = tokens(text).findIndex((word) => stems(word).some((each) => named.has(each)));
  return at < 0 ? Number.MAX_SAFE_INTEGER : at;
}

function sharing({ text, words, profile }: Context): Ask | null {
  const list = spokenOf(words, profile, ['list'])[0]?.column;
  if (!list || !/\b(?:share|shares|shared|sharing|several|more than one|multiple|in common|how many .* per)\b/i.test(text)) return null;
  return work(`number of items in each cell of ${list.name}`, { op: 'sharing', column: list.name, n: 10, show: show(profile, list.name) });
}

function trend(context: Context): Ask | null {
  const match = /\b(?:over time|trend|(?:per|by|each|every)\s+(year|month|day)|monthly|yearly|annual\w*|daily)\b/i.exec(context.text);
  const column = spokenOf(context.words, context.profile, ['date'])[0]?.column ?? context.profile.columns.find((each) => each.kind === 'date');
  if (!match || !column) return null;
  const unit = /year|annual/i.test(match[0]) ? 'year' : /da(?:y|ily)/i.test(match[0]) ? 'day' : 'month';
  const measure = measures(context)[0] ?? { agg: 'count' };
  return work(`${words(measure)} by ${unit} of ${column.name}`, { op: 'trend', column: column.name, unit, measure });
}

const words = (measure: Measure): string => (measure.agg === 'count' ? 'number of rows' : `${measure.agg} of ${measure.column}`);

function aggOf(text: string): Exclude<Measure['agg'], 'count'> {
  if (/\b(?:average|mean|typical)\b/i.test(text)) return 'mean';
  if (/\bmedian\b/i.test(text)) return 'median';
  return /\b(?:maximum|peak)\b/i.test(text) ? 'max' : /\bminimum\b/i.test(text) ? 'min' : 'sum';
}

/** The measures of a question, one for each `most …`, `total …`, `average …` in it. */
function measures({ text, brief, profile }: Context): readonly Measure[] {
  const parts = text.split(/(?=\b(?:most|highest|largest|biggest|heaviest|fewest|lowest|least|smallest|total|average|mean|median|sum|maximum|minimum|number of)\b)/i);
  const rows = rowWords(profile);
  const found = parts.slice(parts.length > 1 ? 1 : 0).flatMap((part): Measure[] => {
    const column = measureFor(part, superlative(part)?.word ?? '', brief, profile);
    if (column) return [{ agg: aggOf(part), column: column.name }];
    return stems(part).some((word) => rows.has(word)) || /\b(?:frequent|common|number of)\b/i.test(part) ? [{ agg: 'count' }] : [];
  });
  return found.filter((measure, at) => found.findIndex((other) => words(other) === words(measure)) === at).slice(0, 4);
}

function groups(context: Context): Ask | null {
  const { text, profile } = context;
  const after = /\b(?:by|per|for each|in each|of each|every|across|among|which|what|common|frequent|compare|distribution of)\s+(.*)$/i.exec(text)?.[1] ?? '';
  const ranked = superlative(text) !== null || /\b(?:by|per|each|distribution|compare|most|how many|breakdown|frequent|common|share of)\b/i.test(text);
  const own = rowWords(profile);
  const candidates = spokenOf(stems(after), profile, [...GROUPING]).filter(({ column }) => column.kind === 'category' || column.kind === 'list' || column.distinct < profile.rows * 0.9);
  const by = candidates.find(({ column }) => column.kind !== 'list' || !stems(column.name).every((word) => own.has(word)))?.column;
  if (!by || !ranked) return null;
  const asked = measures(context);
  const order = superlative(text)?.ascending ?? false;
  const shown = asked.length > 0 ? asked : ([{ agg: 'count' }] as const);
  return work(`${shown.map(words).join(' and ')} by ${by.name}, ${order ? 'smallest' : 'largest'} first`, { op: 'groups', by: by.name, measures: shown, n: amount(text, 10), ascending: order, where: tests(context).filter((test) => test.column !== by.name) });
}

function top(context: Context): Ask | null {
  const { text, brief, profile } = context;
  const asked = superlative(text);
  const column = asked && measureFor(text, asked.word, brief, profile);
  if (!asked || !column) return null;
  const others = profile.columns.filter((each) => each.size_like && each !== column).map(name);
  const note = spokenOf(context.words, profile, ['number']).some((match) => match.column === column) || others.length === 0 ? '' : ` (taken to be meant; ${others.slice(0, 3).join(', ')} would be other readings)`;
  return work(`rows with the ${asked.ascending ? 'smallest' : 'largest'} ${column.name}${note}`, { op: 'top', column: column.name, n: amount(text, 10), ascending: asked.ascending, show: show(profile, column.name), where: tests(context) });
}

function counted(context: Context): Ask | null {
  if (!/\b(?:how many|count|number of)\b/i.test(context.text)) return null;
  const where = tests(context);
  const noun = stems(/\b(?:how many|count(?: the)?|number of)\s+(.*)$/i.exec(context.text)?.[1] ?? '').slice(0, 2);
  const column = spokenOf(noun, context.profile, ['category', 'list', 'text', 'id'])[0]?.column;
  if (column && where.length === 0) return work(`different values of ${column.name}`, { op: 'count', column: column.name, where });
  const rows = rowWords(context.profile);
  return where.length > 0 || noun.some((word) => rows.has(word)) ? work('number of rows', { op: 'count', column: null, where }) : null;
}

function figures(context: Context): Ask | null {
  if (!/\b(?:average|mean|median|total|sum|minimum|maximum|range|distribution|spread|statistics|how (?:big|large|long|heavy|expensive|much))\b/i.test(context.text)) return null;
  const column = measureFor(context.text, '', context.brief, context.profile);
  return column && work(`figures of ${column.name}`, { op: 'figures', column: column.name, aggs: ['count', 'sum', 'mean', 'median', 'min', 'max'], where: tests(context) });
}

const RULES = [extremes, relation, sharing, trend, groups, top, counted, figures];

/** How one question can be met from one file, or null: then it needs a model. */
export function askFor(question: Question, brief: string, profile: Profile): Ask | null {
  const context = { text: question.text, words: stems(question.text), brief, profile };
  if (BEYOND.test(question.text)) return null;
  const ready = fromProfile(context);
  if (ready || profile.columns.length === 0) return ready;
  for (const rule of RULES) {
    const ask = rule(context);
    if (ask) return ask;
  }
  return null;
}
