/** What is looked for in a file of a finished job. */
export type Check =
  | { readonly kind: 'exists'; readonly file: string }
  | { readonly kind: 'contains'; readonly file: string; readonly text: string }
  | { readonly kind: 'matches'; readonly file: string; readonly pattern: string }
  | { readonly kind: 'lacks'; readonly file: string; readonly pattern: string };

/** A brief with its files, and what the answer must hold. */
export interface Case {
  readonly name: string;
  readonly brief: string;
  readonly attachments: readonly { readonly name: string; readonly media_type: string; readonly content: string }[];
  readonly budget_micros?: number;
  readonly checks: readonly Check[];
}

export interface Suite {
  readonly name: string;
  /** Seconds until a job that has not ended is cancelled and scores nothing. */
  readonly patience_s: number;
  readonly cases: readonly Case[];
}

/** How a job ended, and the text of its files by path. */
export interface Outcome {
  readonly case: string;
  readonly job: string;
  readonly status: string;
  readonly files: Readonly<Record<string, string>>;
}

export interface CaseScore {
  readonly case: string;
  readonly job: string;
  readonly status: string;
  readonly score_ppm: number;
  /** Indices of the checks that failed. */
  readonly failed: readonly number[];
}

export interface SuiteScore {
  readonly cases: readonly CaseScore[];
  readonly passed: number;
  /** Mean of the cases, parts per million. */
  readonly score_ppm: number;
}

const million = 1_000_000;

function holds(check: Check, files: Outcome['files']): boolean {
  const text = files[check.file];
  if (text === undefined) return false;
  switch (check.kind) {
    case 'exists':
      return text.length > 0;
    case 'contains':
      return text.includes(check.text);
    case 'matches':
      return new RegExp(check.pattern, 'im').test(text);
    case 'lacks':
      return !new RegExp(check.pattern, 'im').test(text);
  }
}

/** The share of checks that hold; nothing for a job that did not complete. */
export function scoreCase(one: Case, outcome: Outcome): CaseScore {
  const done = outcome.status === 'completed';
  const failed = one.checks.flatMap((check, index) => (done && holds(check, outcome.files) ? [] : [index]));
  const held = one.checks.length - failed.length;
  const all = one.checks.length === 0 ? (done ? million : 0) : Math.floor((held * million) / one.checks.length);
  return { case: one.name, job: outcome.job, status: outcome.status, score_ppm: all, failed };
}

/** A case that has no outcome scores nothing; a case passes when all its checks hold. */
export function scoreSuite(suite: Suite, outcomes: readonly Outcome[]): SuiteScore {
  const cases = suite.cases.map((one) => {
    const outcome = outcomes.find((each) => each.case === one.name);
    return scoreCase(one, outcome ?? { case: one.name, job: '', status: 'missing', files: {} });
  });
  const total = cases.reduce((sum, one) => sum + one.score_ppm, 0);
  return {
    cases,
    passed: cases.filter((one) => one.score_ppm === million).length,
    score_ppm: cases.length === 0 ? 0 : Math.floor(total / cases.length),
  };
}

/** The files that the checks of a case look into. */
export const filesOf = (one: Case): readonly string[] => [...new Set(one.checks.map((check) => check.file))];
