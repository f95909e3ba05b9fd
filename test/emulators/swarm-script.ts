/**
 * A scripted model for the main job: plans one analyst a file and one who checks them, has each run real code twice or more, and writes a
 * report. It knows nothing of the files: every figure that it writes it has copied from a tool result or from another agent's words.
 */
import { countProgram, chartProgram, oddityProgram } from './swarm-programs.ts';
import type { Answer, Asked, Script, Turn } from './script.ts';

/** Lines `FIGURE <label> = <value>` are what the programs print and the report repeats. */
const FIGURE = /^FIGURE .+$/gm;

const opening = ({ turns }: Asked): string =>
  turns.flatMap((turn) => (turn.role === 'user' ? [turn.text] : [])).join('\n');
const results = ({ turns }: Asked): readonly string[] =>
  turns.flatMap((turn) => (turn.role === 'tool' ? turn.results.map(({ text }) => text) : []));
const said = ({ turns }: Asked): readonly Extract<Turn, { role: 'assistant' }>[] =>
  turns.filter((turn) => turn.role === 'assistant');

/** Names of attachments: the list that the first message holds, `- name (media type, n bytes)`. */
const attachments = (asked: Asked): readonly string[] =>
  [...opening(asked).matchAll(/^- (.+) \([^()]*, \d+ bytes\)$/gm)].map(([, name = '']) => name);

const figures = (texts: readonly string[]): readonly string[] => [
  ...new Set(texts.flatMap((text) => text.match(FIGURE) ?? [])),
];

/** Drives planner, workers and writer of one job, told apart by the tools that they are offered and by the task that they were given. */
export const swarmScript: Script = (asked) => {
  if (asked.tools.includes('submit_plan')) return plan(asked);
  const task = /^TASK (\w+) (.+)$/m.exec(opening(asked));
  if (!task) return write(asked);
  const [, kind = '', json = '""'] = task;
  const name = JSON.parse(json) as string;
  return kind === 'profile' ? profile(asked, name) : check(asked, name);
};

function plan(asked: Asked): Answer {
  const files = attachments(asked);
  if (said(asked).some(({ calls }) => calls.length > 0)) return { text: 'The plan stands.' };
  const analysts = files.map((name, at) => ({
    id: `analyst-${at + 1}`,
    role: `analyst of ${name}`,
    task: `TASK profile ${JSON.stringify(name)}\nCount, sum and chart what is in the file.`,
    files: [name],
    required: true,
  }));
  const checker = {
    id: 'checker',
    role: 'checker',
    task: `TASK check ${JSON.stringify(files[0] ?? '')}\nLook for what is odd in the file.`,
    files: files.slice(0, 1),
    needs: [],
    required: false,
  };
  return {
    text: 'One analyst a file, and one who looks for oddities.',
    calls: [{ name: 'submit_plan', args: { agents: [...analysts, checker] } }],
  };
}

/** Two programs at once, then a third that draws the chart, then the figures in words. */
function profile(asked: Asked, name: string): Answer {
  const rounds = said(asked).length;
  if (rounds === 0)
    return { text: `Looking into ${name}.`, calls: [run(countProgram(name), name), run(oddityProgram(name), name)] };
  if (rounds === 1) return { calls: [run(chartProgram(name), name)] };
  return conclude(asked, name);
}

function check(asked: Asked, name: string): Answer {
  if (said(asked).length === 0)
    return { text: 'Checking.', calls: [run(oddityProgram(name), name), { name: 'list_files', args: {} }] };
  return conclude(asked, name);
}

const run = (code: string, name: string): { readonly name: string; readonly args: unknown } => ({
  name: 'run_code',
  args: { language: 'python', code, files: [name] },
});

const conclude = (asked: Asked, name: string): Answer => ({
  text: [`Figures of ${name}:`, ...figures(results(asked)), ...charts(results(asked))].join('\n'),
});

const charts = (texts: readonly string[]): readonly string[] =>
  [...new Set(texts.flatMap((text) => text.match(/final\/[\w.-]+\.png/g) ?? []))].map((path) => `CHART ${path}`);

function write(asked: Asked): Answer {
  if (results(asked).length > 0) return { text: 'The report is in final/report.md.' };
  return { calls: [{ name: 'write_artifact', args: { path: 'final/report.md', content: report(opening(asked)) } }] };
}

function report(heard: string): string {
  const rows = figures([heard])
    .map((line) => /^FIGURE (.+?) = (.+)$/.exec(line))
    .flatMap((match) => (match ? [`| ${match[1]} | ${match[2]} |`] : []));
  const pictures = [...new Set(heard.match(/^CHART final\/.+$/gm) ?? [])]
    .map((line) => line.replace('CHART final/', ''))
    .map((file) => `![${file}](${file})`);
  return [
    '# Report',
    '',
    'This report was produced by an AI system (Loom).',
    '',
    '| figure | value |',
    '|---|---|',
    ...rows,
    '',
    ...pictures,
    '',
  ].join('\n');
}
