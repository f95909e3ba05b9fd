import type { Part } from './asks.ts';
import type { Answer, Profile } from './profile.ts';

/** How one question fared with one file. */
export interface Entry {
  /** Id of the question. */
  readonly id: number;
  readonly reading: string;
  /** The part of the profile that answers it, if no computation was needed. */
  readonly part: Part | null;
  readonly answer: Answer | null;
}

/** All that a worker found out about one file; `failure` in words when it could not. */
export interface FileFindings {
  readonly file: string;
  readonly failure: string | null;
  readonly profile: Profile | null;
  readonly entries: readonly Entry[];
  /** Why the computed answers cover a part of the file only; '' when they cover it whole. */
  readonly partial: string;
}

export const HONEST = 'Loom offline mode: rules, no language model.';
const OPEN = '```json loom-findings\n';
const MOST = 24_000;

const cuts: readonly ((found: FileFindings) => FileFindings)[] = [
  (found) => found,
  (found) => trim(found, 30, 6, 40, 10),
  (found) => trim(found, 15, 3, 15, 10),
  (found) => trim(found, 8, 1, 8, 5),
  (found) => trim(found, 3, 0, 3, 2),
];

function trim(found: FileFindings, columns: number, lists: number, oddities: number, rows: number): FileFindings {
  const entries = found.entries.map((entry) => ({
    ...entry,
    answer: entry.answer && {
      ...entry.answer,
      tables: entry.answer.tables.map((table) => ({ ...table, rows: table.rows.slice(0, rows) })),
    },
  }));
  const profile = found.profile && {
    ...found.profile,
    cut: true,
    load: found.profile.load.slice(0, 1500),
    columns: found.profile.columns
      .slice(0, columns)
      .map(({ top, ...rest }) => ({ ...rest, top: (top ?? []).slice(0, 3) })),
    groups: found.profile.groups.slice(0, lists),
    tops: found.profile.tops.slice(0, lists),
    correlations: found.profile.correlations.slice(0, lists),
    oddities: found.profile.oddities.slice(0, oddities),
  };
  return { ...found, entries, profile };
}

/** Findings as a text that people can read and the writer can parse, of at most about 24 KB. */
export function encode(summary: string, findings: readonly FileFindings[]): string {
  const share = MOST / Math.max(1, findings.length);
  const fitted = findings.map(
    (found) =>
      cuts.map((cut) => cut(found)).find((each) => Buffer.byteLength(JSON.stringify(each)) <= share) ?? {
        ...found,
        profile: null,
        entries: [],
      },
  );
  return `${HONEST}\n\n${summary}\n\n${OPEN}${JSON.stringify(fitted).replace(/`/g, String.raw`\u0060`)}\n\`\`\``;
}

/** The findings in a worker's text; empty if it holds none. */
export function decode(text: string): readonly FileFindings[] {
  const start = text.lastIndexOf(OPEN);
  if (start < 0) return [];
  try {
    const value: unknown = JSON.parse(text.slice(start + OPEN.length, text.lastIndexOf('\n```')));
    return Array.isArray(value) ? (value as readonly FileFindings[]) : [];
  } catch {
    return [];
  }
}
