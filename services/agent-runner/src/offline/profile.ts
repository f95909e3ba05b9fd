/** What the Python programs print, read defensively: a file's content decides what stands in it. */

export interface Column {
  readonly name: string;
  readonly kind: 'number' | 'category' | 'id' | 'text' | 'date' | 'list' | 'coordinates' | 'empty';
  readonly missing: number;
  readonly distinct: number;
  readonly axis?: 'latitude' | 'longitude';
  readonly form?: string;
  readonly separator?: string;
  readonly min?: number | string | null;
  readonly max?: number | string | null;
  readonly mean?: number | null;
  readonly sum?: number | null;
  readonly quantiles?: readonly (number | null)[];
  readonly exact?: boolean;
  readonly size_like?: boolean;
  readonly top?: readonly (readonly [string, number])[];
}

export interface Oddity {
  readonly text: string;
  readonly columns: readonly string[];
  readonly count: number;
  readonly code: string;
}

export interface Chart {
  readonly path: string;
  readonly title: string;
}

type Cell = string | number | null;

export interface Table {
  readonly title: string;
  readonly columns: readonly string[];
  readonly rows: readonly (readonly Cell[])[];
  readonly code: string;
}

interface GroupTable {
  readonly by: string;
  readonly groups: number;
  readonly count: readonly (readonly [string, number])[];
  readonly count_code: string;
  readonly sums: readonly {
    readonly measure: string;
    readonly top: readonly (readonly [string, number])[];
    readonly code: string;
  }[];
}

export interface Correlation {
  readonly x: string;
  readonly y: string;
  readonly pearson: number;
  readonly spearman: number;
  readonly rows: number;
  readonly exact: boolean;
  readonly code: string;
}

export interface TextFigures {
  readonly lines: number;
  readonly blank: number;
  readonly characters: number;
  readonly words: number;
  readonly sentences: number;
  readonly paragraphs: number;
  readonly headings: number;
  readonly links: number;
  readonly distinct_words: number;
  readonly mean_words: number;
  readonly levels: readonly (readonly [string, number])[];
  readonly top_words: readonly (readonly [string, number])[];
  readonly longest: readonly { readonly line: number; readonly length: number; readonly start: string }[];
}

export interface Profile {
  readonly phase: 'profile';
  readonly file: string;
  readonly refused?: string;
  readonly size: number;
  readonly kind: 'table' | 'jsonl' | 'json' | 'text' | 'empty' | 'binary';
  readonly encoding: string | null;
  readonly magic?: string;
  readonly load: string;
  readonly rows: number;
  readonly width: number;
  readonly stopped: string | null;
  readonly columns: readonly Column[];
  readonly labels: readonly string[];
  readonly groups: readonly GroupTable[];
  readonly tops: readonly {
    readonly measure: string;
    readonly labels: readonly string[];
    readonly rows: readonly (readonly Cell[])[];
    readonly code: string;
  }[];
  readonly correlations: readonly Correlation[];
  readonly oddities: readonly Oddity[];
  readonly charts: readonly Chart[];
  readonly text: TextFigures | null;
  readonly source: Readonly<Record<string, unknown>>;
  readonly seconds: number;
  readonly cut: boolean;
}

export interface Answer {
  readonly id: number;
  readonly op: string;
  readonly text: string;
  readonly failed?: string;
  /** Columns of the file that it was computed from. */
  readonly columns: readonly string[];
  readonly tables: readonly Table[];
  readonly chart: Chart | null;
}

export interface Answers {
  readonly phase: 'answer';
  readonly file: string;
  readonly refused?: string;
  readonly rows: number;
  readonly stopped: string | null;
  readonly answers: readonly Answer[];
}

const blank = {
  size: 0,
  kind: 'empty',
  encoding: null,
  load: '',
  rows: 0,
  width: 0,
  stopped: null,
  columns: [],
  labels: [],
  groups: [],
  tops: [],
  correlations: [],
  oddities: [],
  charts: [],
  text: null,
  source: {},
  seconds: 0,
  cut: false,
  answers: [],
};

/** The one JSON line that a run printed, out of the text of its tool result; null if there is none. */
export function printed(text: string): Profile | Answers | null {
  const line = text.split('\n').find((each) => each.startsWith('{"phase":"'));
  if (line === undefined) return null;
  try {
    const value = { ...blank, ...(JSON.parse(line) as object) } as unknown as Profile | Answers;
    return value.phase === 'profile' || value.phase === 'answer' ? value : null;
  } catch {
    return null;
  }
}
