import type { Ask, Measure, Part, Work } from './asks.ts';
import { measureFor, rowWords, spokenOf, superlative } from './columns.ts';
import type { Column, Profile } from './profile.ts';
import type { Question } from './questions.ts';
import { type Context, measureWords, filterLost, measures, name, show, tests, unexplained } from './wording.ts';
import { amount, stems, tokens } from './words.ts';

const BEYOND =
  /\b(?:why|should|recommend|explain|predict|forecast|translate|opinion|argue|sentiment|meaning|cause|because|advise|suggest|rewrite|who is|what is the best)\b/i;
const GROUPING = ['category', 'list', 'text', 'id', 'date'] as const;
const work = (reading: string, made: Work): Ask => ({ from: 'work', reading, work: made });
const held = (reading: string, part: Part): Ask => ({ from: 'profile', reading, part });

const PARTS: readonly (readonly [Part, RegExp, string])[] = [
  [
    'oddities',
    /\b(?:odd|oddities|strange|unusual|suspicious|anomal\w*|outliers?|weird|quality|wrong|errors?)\b/i,
    'what the fixed checks of the profile found',
  ],
  ['missing', /\b(?:missing|empty|blank|incomplete|gaps?)\b/i, 'missing values of each column'],
  ['duplicates', /\b(?:duplicates?|repeated|twice)\b/i, 'rows that repeat'],
  [
    'overview',
    /\b(?:summari[sz]e|describe|overview|profile|what is in|what does .* (?:hold|contain)|analy[sz]e)\b/i,
    'the profile of the file; not what it means',
  ],
];
const TEXT_PARTS: readonly (readonly [Part, RegExp, string])[] = [
  ['lengths', /\b(?:longest|shortest|length)\b/i, 'the longest lines'],
  [
    'overview',
    /\bhow (?:long|many (?:words?|lines?|characters?|sentences?|paragraphs?|headings?|links?))\b/i,
    'the counts of the profile',
  ],
  ['words', /\b(?:words?|terms?|frequent|common)\b/i, 'the most frequent words'],
];

function fromProfile({ text, profile }: Context): Ask | null {
  const found = [...PARTS, ...(profile.kind === 'text' ? TEXT_PARTS : [])].find(([, pattern]) => pattern.test(text));
  if (
    !found ||
    (found[0] === 'missing' && profile.columns.length === 0) ||
    (found[0] === 'duplicates' && profile.rows === 0)
  )
    return null;
  return held(found[2], found[0]);
}

function extremes({ text, profile }: Context): Ask | null {
  const ways = (['north', 'south', 'east', 'west'] as const).filter((way) =>
    new RegExp(String.raw`\b${way}(?:ern|ernmost|most|wards?)?\b`, 'i').test(text),
  );
  const place = profile.columns.find((column) => column.kind === 'coordinates')?.name ?? null;
  const axis = (wanted: Column['axis']) => profile.columns.find((column) => column.axis === wanted)?.name ?? null;
  const [latitude, longitude] = [axis('latitude'), axis('longitude')];
  const known = ways.filter((way) => place !== null || (/north|south/.test(way) ? latitude : longitude) !== null);
  if (known.length === 0) return null;
  return work(
    `rows with the extreme ${/north|south/.test(known.join()) ? 'latitude' : 'longitude'}: ${known.join(' and ')}`,
    { op: 'extremes', place, latitude, longitude, ways: known, n: amount(text, 5), show: show(profile) },
  );
}

function relation(context: Context): Ask | null {
  if (
    !/\b(?:relat\w*|correlat\w*|depends? on|affects?|influences?|versus|vs|against|connection|link(?:ed)?|association)\b/i.test(
      context.text,
    )
  )
    return null;
  const pair = spokenOf(context.words, context.profile, ['number'])
    .slice(0, 2)
    .map(({ column }) => column);
  const [one, other] = pair.toSorted((a, b) => place(context.text, a) - place(context.text, b));
  if (!one || !other) return null;
  return work(`${one.name} against ${other.name}, rank and linear correlation`, {
    op: 'relation',
    x: other.name,
    y: one.name,
    where: tests(context).filter((test) => test.is === 'equal'),
  });
}

/** Where a column is first spoken of. */
function place(text: string, column: Column): number {
  const named = new Set(stems(column.name));
  const at = tokens(text).findIndex((word) => stems(word).some((each) => named.has(each)));
  return at < 0 ? Number.MAX_SAFE_INTEGER : at;
}

function sharing({ text, words, profile }: Context): Ask | null {
  const list = spokenOf(words, profile, ['list'])[0]?.column;
  if (
    !list ||
    !/\b(?:share|shares|shared|sharing|several|more than one|multiple|in common|how many .* per)\b/i.test(text)
  )
    return null;
  return work(`number of items in each cell of ${list.name}`, {
    op: 'sharing',
    column: list.name,
    n: 10,
    show: show(profile, list.name),
  });
}

function trend(context: Context): Ask | null {
  const match = /\b(?:over time|trend|(?:per|by|each|every)\s+(year|month|day)|monthly|yearly|annual\w*|daily)\b/i.exec(
    context.text,
  );
  const column =
    spokenOf(context.words, context.profile, ['date'])[0]?.column ??
    context.profile.columns.find((each) => each.kind === 'date');
  if (!match || !column) return null;
  const unit = /year|annual/i.test(match[0]) ? 'year' : /da(?:y|ily)/i.test(match[0]) ? 'day' : 'month';
  const measure = measures(context)[0] ?? { agg: 'count' };
  const split = groupColumn(context);
  const left = split && split !== column ? ` (not split by ${split.name}: that needs a model)` : '';
  return work(`${measureWords(measure)} by ${unit} of ${column.name}${left}`, {
    op: 'trend',
    column: column.name,
    unit,
    measure,
  });
}

const RANKED = /\b(?:by|per|each|distribution|compare|most|how many|breakdown|frequent|common|share of)\b/i;

/** The column whose values are the groups: one that words after `by`, `which`, `each` … speak of and that repeats values. */
function groupColumn({ text, profile }: Context): Column | null {
  const after =
    /\b(?:by|per|for each|in each|of each|every|across|among|which|what|common|frequent|compare|distribution of)\s+(.*)$/i.exec(
      text,
    )?.[1] ?? '';
  const own = rowWords(profile);
  const repeats = (column: Column) =>
    column.kind === 'category' || column.kind === 'list' || column.distinct < profile.rows * 0.9;
  const rowName = (column: Column) => column.kind === 'list' && stems(column.name).every((word) => own.has(word));
  return (
    spokenOf(stems(after), profile, [...GROUPING]).find(({ column }) => repeats(column) && !rowName(column))?.column ??
    null
  );
}

/** The measures of a ranking or breakdown; null when it names one that the file does not have. */
function groupMeasures(context: Context): readonly Measure[] | null {
  const found = measures(context);
  if (found.length > 0) return found;
  return superlative(context.text) && unexplained(context).length > 0 ? null : [{ agg: 'count' }];
}

function groups(context: Context): Ask | null {
  const asked = superlative(context.text);
  const by = asked || RANKED.test(context.text) ? groupColumn(context) : null;
  const shown = by && groupMeasures(context);
  if (!by || !shown) return null;
  const ascending = asked?.ascending ?? false;
  const reading = `${shown.map(measureWords).join(' and ')} by ${by.name}, ${ascending ? 'smallest' : 'largest'} first`;
  return work(reading, {
    op: 'groups',
    by: by.name,
    measures: shown,
    n: amount(context.text, 10),
    ascending,
    where: tests(context).filter((test) => test.column !== by.name),
  });
}

function top(context: Context): Ask | null {
  const { text, brief, profile } = context;
  const asked = superlative(text);
  const column = asked && measureFor(text, asked.word, brief, profile);
  if (!asked || !column) return null;
  const named = spokenOf(stems(text), profile, ['number']).some((match) => match.column === column);
  if (!named && unexplained(context).length > 0) return null;
  const others = profile.columns.filter((each) => each.size_like && each !== column).map(name);
  const note =
    named || others.length === 0 ? '' : ` (taken to be meant; it could also be ${others.slice(0, 3).join(' or ')})`;
  return work(`rows with the ${asked.ascending ? 'smallest' : 'largest'} ${column.name}${note}`, {
    op: 'top',
    column: column.name,
    n: amount(text, 10),
    ascending: asked.ascending,
    show: show(profile, column.name),
    where: tests(context),
  });
}

function counted(context: Context): Ask | null {
  if (!/\b(?:how many|count|number of)\b/i.test(context.text)) return null;
  const where = tests(context);
  const noun = stems(/\b(?:how many|count(?: the)?|number of)\s+(.*)$/i.exec(context.text)?.[1] ?? '').slice(0, 2);
  const column = spokenOf(noun, context.profile, ['category', 'list', 'text', 'id'])[0]?.column;
  if (column && where.length === 0)
    return work(`different values of ${column.name}`, { op: 'count', column: column.name, where });
  const rows = rowWords(context.profile);
  return where.length > 0 || noun.some((word) => rows.has(word))
    ? work('number of rows', { op: 'count', column: null, where })
    : null;
}

function figures(context: Context): Ask | null {
  if (
    !/\b(?:average|mean|median|total|sum|minimum|maximum|range|distribution|spread|statistics|how (?:big|large|long|heavy|expensive|much))\b/i.test(
      context.text,
    )
  )
    return null;
  const column = measureFor(context.text, '', context.brief, context.profile);
  return (
    column &&
    work(`figures of ${column.name}`, {
      op: 'figures',
      column: column.name,
      aggs: ['count', 'sum', 'mean', 'median', 'min', 'max'],
      where: tests(context),
    })
  );
}

const RULES = [extremes, relation, sharing, trend, groups, top, counted, figures];

/** How one question can be met from one file, or null: then it needs a model. */
export function askFor(question: Question, brief: string, profile: Profile): Ask | null {
  const context = { text: question.text, words: stems(question.text), brief, profile };
  if (BEYOND.test(question.text) || filterLost(context)) return null;
  const ready = fromProfile(context);
  if (ready || profile.columns.length === 0) return ready;
  for (const rule of RULES) {
    const ask = rule(context);
    if (ask) return ask;
  }
  return null;
}
