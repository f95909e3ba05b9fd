import type { Situation } from '@loom/models';
import { type Entry, type FileFindings, decode } from './findings.ts';
import { block, code, grid, image, plain, quote } from './markdown.ts';
import type { Answer, Chart } from './profile.ts';
import { type Question, questions } from './questions.ts';
import { fileSection, oddityList, partOf } from './sections.ts';

export const DISCLOSURE =
  'This report was produced by an AI system (Loom, offline mode: a rule-based planner that ran real code; no language model was used).';
export const NEEDS_MODEL = '**Needs a model.** The rules of the offline mode do not map this onto a computation.';

type Results = Situation['results'];

/** All that the report is made of. */
interface Material {
  readonly situation: Situation;
  readonly findings: readonly FileFindings[];
  readonly asked: readonly Question[];
}

const chartLine = (chart: Chart | null, artifacts: readonly string[]): readonly string[] => {
  if (!chart) return [];
  return artifacts.includes(chart.path)
    ? [image(chart.title, chart.path)]
    : [`The chart ${code(chart.path)} was drawn but not handed over.`];
};

const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);

function computed(found: FileFindings, answer: Answer, artifacts: readonly string[]): readonly string[] {
  if (answer.failed !== undefined) return [`The computation failed: ${plain(answer.failed)}.`];
  const used =
    answer.columns.length > 0
      ? `, column${answer.columns.length > 1 ? 's' : ''} ${answer.columns.map(code).join(', ')}`
      : '';
  const tables = answer.tables.flatMap((table) => [
    `**${plain(capital(table.title))}** (file ${code(found.file)}${used})`,
    grid(table.columns, table.rows),
    block(table.code),
  ]);
  return [`**Answer:** ${plain(answer.text)}`, ...tables, ...chartLine(answer.chart, artifacts)];
}

function answerOf(found: FileFindings, entry: Entry, artifacts: readonly string[]): readonly string[] {
  const limit = entry.part === null ? found.partial : (found.profile?.stopped ?? '');
  const head = `From ${code(found.file)}, read as: ${plain(entry.reading)}.${limit === '' ? '' : ` **Covers a part of the file only:** ${plain(limit)}.`}`;
  if (entry.part !== null) return [head, ...partOf(entry.part, found)];
  if (!entry.answer) return [head, `No answer: ${plain(found.failure ?? 'the run gave none')}.`];
  return [head, ...computed(found, entry.answer, artifacts)];
}

function questionSection(question: Question, { findings, situation }: Material): string {
  const about = question.topic === '' ? '' : ` *(about: ${plain(question.topic)})*`;
  const answers = findings.flatMap((found) =>
    found.entries
      .filter(({ id }) => id === question.id)
      .flatMap((entry) => answerOf(found, entry, situation.artifacts)),
  );
  const broken = findings
    .filter(({ profile }) => profile === null)
    .map(({ file, failure }) => `${code(file)} could not be read for it: ${plain(failure)}.`);
  return [
    `### ${question.id}. ${plain(capital(question.text))}${about}`,
    ...(answers.length > 0 ? answers : [NEEDS_MODEL, ...broken]),
  ].join('\n\n');
}

/** What became of a wish about the form of the result. */
function wish(question: Question, { findings, situation: { results, artifacts } }: Material): string {
  if (/\b(?:own|each|every|separate)\b.*\b(?:analyst|agent|worker)\b/i.test(question.text))
    return `Done: ${results.length} analyst${results.length === 1 ? '' : 's'} for ${findings.length} file${findings.length === 1 ? '' : 's'}.`;
  if (!/\b(?:report|table|chart|plot|graph|file)\b/i.test(question.text)) return NEEDS_MODEL;
  const charted = findings.filter((found) => found.profile?.charts.some(({ path }) => artifacts.includes(path)));
  const bare = findings.filter((found) => !charted.includes(found)).map(({ file }) => code(file));
  return `This is the report; it has a table and a chart for ${charted.length} of ${findings.length} files${bare.length > 0 ? ` (no chart: ${bare.join(', ')})` : ''}. How it should sound or be laid out beyond that needs a model.`;
}

function answers(material: Material): string {
  const asked = material.asked.filter(({ kind }) => kind === 'question');
  const wishes = material.asked
    .filter(({ kind }) => kind === 'request')
    .map((question) => `- ${plain(question.text)} — ${wish(question, material)}`);
  const sections =
    asked.length > 0
      ? asked.map((question) => questionSection(question, material))
      : [
          `The rules found no question in the brief. What it wants${material.findings.length > 0 ? ' beyond the profiles below' : ''} needs a model.`,
        ];
  return [
    '## Answers',
    ...sections,
    ...(wishes.length > 0 ? [`### Wishes for the result\n\n${wishes.join('\n')}`] : []),
  ].join('\n\n');
}

function agents(results: Results): string {
  const lines = results.map(
    ({ agent, role, outcome, text }) =>
      `- ${plain(agent)}, ${plain(role)}: ${outcome}${outcome === 'done' ? '' : ` (${plain(text.slice(0, 300))})`}`,
  );
  const failed = results.filter(({ outcome }) => outcome !== 'done').length;
  return ['## Agents', `${results.length - failed} of ${results.length} agents finished.`, lines.join('\n')].join(
    '\n\n',
  );
}

const METHOD = `## Method and definitions

- No language model took part. Fixed rules split the brief into questions, matched their words to file names, columns and values, and wrote Python that ran in Loom's sandbox (no network, 512 MB of memory, half a CPU, 30 seconds a run). Every figure above comes from such a run; the code under each table gives it again.
- Each question says how it was read. A wrong reading is possible: compare it with what you meant.
- 1 MB = 1024 kB, 1 kB = 1024 bytes. Exact values stand beside rounded ones. A missing value is an empty cell, or in a column of numbers a word such as NA. Sums and averages leave missing values out.
- Quantiles are interpolated linearly; outliers lie more than 1.5 interquartile ranges outside the middle half. Spearman is the correlation of ranks, ties at their mean rank.
- The code needs \`import json, pandas as pd\` and the line that loads the file, given in the file's section.`;

function odd(findings: readonly FileFindings[]): string {
  const told = findings.every(({ entries }) => entries.some(({ part }) => part === 'oddities'));
  if (findings.length === 0) return '## What looks odd\n\nThere was no file to look at.';
  const lists = findings.map((found) => `**${plain(found.file)}**\n\n${oddityList(found)}`);
  return ['## What looks odd', ...(told ? ['See the answer about it above.'] : lists)].join('\n\n');
}

/** The whole report as Markdown, from the brief and what the analysts handed over. */
export function report(situation: Situation): string {
  const findings = situation.results.flatMap(({ outcome, text }) => (outcome === 'done' ? decode(text) : []));
  const material = { situation, findings, asked: questions(situation.brief) };
  const lost = situation.attachments
    .map(({ name }) => name)
    .filter((name) => !findings.some(({ file }) => file === name));
  const files = [
    ...findings.map((found) => fileSection(found, situation.artifacts)),
    ...lost.map(
      (name) => `### ${plain(name)}\n\nNothing is known of this file: the analyst that had it did not finish.`,
    ),
  ];
  return [
    '# Report',
    `> ${DISCLOSURE}`,
    '## The brief',
    quote(situation.brief.trim()),
    answers(material),
    ['## Files', ...(files.length > 0 ? files : ['No file was attached.'])].join('\n\n'),
    odd(findings),
    agents(situation.results),
    METHOD,
    '',
  ].join('\n\n');
}
