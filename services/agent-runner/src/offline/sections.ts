import type { Part } from './asks.ts';
import type { FileFindings } from './findings.ts';
import { block, code, grid, image, plain } from './markdown.ts';
import type { Column, Oddity, Profile, TextFigures } from './profile.ts';

const oddity = ({ text, count, code: expression }: Oddity): string =>
  `- ${plain(text)}${expression === '' ? '' : ` — ${count}, by ${code(expression)}`}`;

export function oddityList({ profile, failure }: FileFindings): string {
  if (!profile) return `Not looked at: ${plain(failure)}.`;
  return profile.oddities.length > 0
    ? profile.oddities.map(oddity).join('\n')
    : 'The fixed checks found nothing: no duplicates, constant or empty columns, mixed types, stray spaces, outliers or negative sizes.';
}

function missing({ columns, rows }: Profile): readonly string[] {
  const gaps = columns.filter((column) => column.missing > 0).toSorted((one, other) => other.missing - one.missing);
  if (gaps.length === 0) return [`**Answer:** no value is missing in ${rows} rows.`];
  return [
    `**Answer:** ${gaps.length} of ${columns.length} columns have missing values.`,
    grid(
      ['column', 'missing', 'of rows'],
      gaps.slice(0, 40).map(({ name, missing: many }) => [name, many, rows]),
    ),
    block('df.isna().sum()'),
  ];
}

function frequent({ top_words: top }: TextFigures): readonly string[] {
  return [
    `**Answer:** ${top
      .slice(0, 3)
      .map(([word, times]) => `${plain(word)} (${times})`)
      .join(', ')}; stop words are left out.`,
    grid(['word', 'occurrences'], top),
  ];
}

function lengths({ longest }: TextFigures): readonly string[] {
  return [
    '**Answer:** the longest lines are these.',
    grid(
      ['line', 'characters', 'start'],
      longest.map(({ line, length, start }) => [line, length, start]),
    ),
  ];
}

function duplicates({ oddities }: Profile): readonly string[] {
  const repeats =
    oddities.find(({ text }) => /^an earlier .* is repeated/.test(text))?.text ??
    'nothing repeats an earlier row or line exactly';
  return [`**Answer:** ${plain(repeats)}.`];
}

/** The answer that the profile of a file already holds. */
export function partOf(part: Part, found: FileFindings): readonly string[] {
  const { profile } = found;
  if (!profile) return [`No answer: ${plain(found.failure)}.`];
  const parts: Readonly<Record<Part, () => readonly string[]>> = {
    missing: () => missing(profile),
    duplicates: () => duplicates(profile),
    words: () => (profile.text ? frequent(profile.text) : []),
    lengths: () => (profile.text ? lengths(profile.text) : []),
    overview: () => [
      `**Answer:** ${sizeLine(profile)} The profile is in the section of the file below; what it means needs a model.`,
    ],
    oddities: () => [`**Answer:** ${profile.oddities.length} oddities.`, oddityList(found)],
  };
  return parts[part]();
}

const WORDS: Readonly<Record<Profile['kind'], string>> = {
  table: 'a table',
  jsonl: 'JSON Lines',
  json: 'JSON',
  text: 'plain text',
  empty: 'empty',
  binary: 'not text',
};
const DELIMITERS: Readonly<Record<string, string>> = {
  ',': 'comma',
  ';': 'semicolon',
  '\t': 'tab',
  '|': 'vertical bar',
};

function sizeLine(profile: Profile): string {
  const { kind, size, encoding, rows, width, source } = profile;
  if (kind === 'binary')
    return `This is not text but ${plain(profile.magic)} (${size} bytes); only text can be profiled.`;
  if (kind === 'empty') return `The file is empty (${size} bytes).`;
  const dialect =
    kind === 'table'
      ? `, delimiter ${DELIMITERS[String(source['delimiter'])] ?? ''}, decimal ${source['decimal'] === ',' ? 'comma' : 'point'}, ${source['header'] === true ? 'with' : 'without'} a header`
      : '';
  return `${WORDS[kind]} of ${size} bytes in ${encoding}${dialect}; ${rows} ${kind === 'text' ? 'lines' : `rows, ${width} columns`}.`.replace(
    /^./,
    (first) => first.toUpperCase(),
  );
}

function about(column: Column): string {
  if (column.kind === 'number' && column.quantiles) {
    const [low, middle, high] = column.quantiles;
    return `min ${column.min}, quartiles ${low} / ${middle} / ${high}, max ${column.max}, sum ${column.sum}, mean ${column.mean}${column.exact === false ? ' (quartiles estimated)' : ''}`;
  }
  if (column.kind === 'date') return `${column.min} to ${column.max}`;
  return (column.top ?? [])
    .slice(0, 3)
    .map(([value, times]) => `${value} (${times})`)
    .join(', ');
}

function columnTable({ columns, width }: Profile): readonly string[] {
  if (columns.length === 0) return [];
  const rows = columns
    .slice(0, 60)
    .map((column) => [column.name, column.axis ?? column.kind, column.missing, column.distinct, about(column)]);
  return [
    '**Columns**',
    grid(['column', 'kind', 'missing', 'different values', 'what it holds'], rows),
    ...(width > rows.length ? [`${width - rows.length} more columns are not shown.`] : []),
  ];
}

function groupTables({ groups }: Profile): readonly string[] {
  return groups
    .slice(0, 2)
    .flatMap((table) => [
      `**Rows by ${plain(table.by)}** (${table.groups} groups; columns ${code(table.by)})`,
      grid([table.by, 'rows'], table.count),
      block(table.count_code),
      ...table.sums
        .slice(0, 1)
        .flatMap((sum) => [
          `**Sum of ${plain(sum.measure)} by ${plain(table.by)}** (columns ${code(table.by)}, ${code(sum.measure)})`,
          grid([table.by, `sum of ${sum.measure}`], sum.top),
          block(sum.code),
        ]),
    ]);
}

function topTables({ tops }: Profile): readonly string[] {
  return tops
    .slice(0, 1)
    .flatMap((top) => [
      `**Largest ${plain(top.measure)}**`,
      grid([top.measure, 'row', ...top.labels], top.rows),
      block(top.code),
    ]);
}

function correlationTable({ correlations }: Profile): readonly string[] {
  if (correlations.length === 0) return [];
  const rows = correlations
    .slice(0, 8)
    .map(({ x, y, pearson, spearman, rows: many, exact }) => [
      x,
      y,
      pearson,
      spearman,
      exact ? many : `${many} sampled`,
    ]);
  return [
    '**Correlations of numeric columns**',
    grid(['column', 'with', 'Pearson', 'Spearman', 'rows'], rows),
    block(correlations[0]?.code ?? ''),
  ];
}

function textTables({ text }: Profile): readonly string[] {
  if (!text) return [];
  const figures = (
    [
      'lines',
      'blank',
      'paragraphs',
      'words',
      'distinct_words',
      'sentences',
      'characters',
      'headings',
      'links',
      'mean_words',
    ] as const
  ).map((key) => [key === 'mean_words' ? 'words a filled line' : key.replace('_', ' '), text[key]]);
  const levels = text.levels.length > 0 ? ['**Log levels**', grid(['level', 'lines'], text.levels)] : [];
  return [
    '**Figures**',
    grid(['figure', 'value'], figures),
    block('lines = text.splitlines(); len(lines), sum(len(line.split()) for line in lines)'),
    '**Most frequent words**',
    grid(['word', 'occurrences'], text.top_words.slice(0, 12)),
    '**Longest lines**',
    grid(
      ['line', 'characters', 'start'],
      text.longest.map(({ line, length, start }) => [line, length, start]),
    ),
    ...levels,
  ];
}

/** What was found in one file: tables, charts, how it was read. */
export function fileSection({ file, profile, failure }: FileFindings, artifacts: readonly string[]): string {
  const head = `### ${plain(file)}`;
  if (!profile) return `${head}\n\nThis file could not be profiled: ${plain(failure)}.`;
  const charts = profile.charts.map(({ path, title }) =>
    artifacts.includes(path) ? image(title, path) : `The chart ${code(path)} was drawn but not handed over.`,
  );
  const covers =
    profile.stopped === null
      ? []
      : [`**Only a part was read** (the first ${profile.rows} rows): ${plain(profile.stopped)}.`];
  const trouble = failure === null ? [] : [`The answers could not all be computed: ${plain(failure)}.`];
  const load = profile.load === '' ? [] : ['Read as:', block(profile.load)];
  return [
    head,
    sizeLine(profile),
    ...covers,
    ...trouble,
    ...charts,
    ...columnTable(profile),
    ...textTables(profile),
    ...groupTables(profile),
    ...topTables(profile),
    ...correlationTable(profile),
    ...load,
  ].join('\n\n');
}
