/** What the emulated model says to people who watch: slowly enough to be seen, with a question, a program that draws, and files of each kind. */
import type { Answer, Asked, Script, Turn } from '../emulators/script.ts';

const heard = ({ turns }: Asked): string =>
  turns.flatMap((turn) => (turn.role === 'user' ? [turn.text] : [])).join('\n');
const said = ({ turns }: Asked): readonly Extract<Turn, { role: 'assistant' }>[] =>
  turns.filter((turn) => turn.role === 'assistant');
const results = ({ turns }: Asked): readonly string[] =>
  turns.flatMap((turn) => (turn.role === 'tool' ? turn.results.map(({ text }) => text) : []));

const pauseMs = 25;

const write = (path: string, content: string): Answer => ({
  text: `Writing \`${path}\` now, with everything that the others found.`,
  calls: [{ name: 'write_artifact', args: { path, content } }],
  pauseMs,
});

const asks: Answer = {
  text: 'One thing is not clear from the brief.',
  calls: [{ name: 'ask_user', args: { question: 'Should the report compare by year or by month?' } }],
  pauseMs,
};

const workers = [
  {
    id: 'reader',
    role: 'Reader of the data',
    task: 'READ Count what is in the file and say what stands out.',
    needs: [],
  },
  { id: 'painter', role: 'Painter of charts', task: 'PAINT Draw one chart of the figures.', needs: [] },
  {
    id: 'critic',
    role: 'Critic',
    task: 'DOUBT Look for what could be wrong in the figures.',
    needs: ['reader', 'painter'],
  },
];

const plan: Answer = {
  text: 'Three agents do: one who reads, one who paints, and one who doubts both.',
  calls: [{ name: 'submit_plan', args: { agents: workers } }],
  pauseMs,
};

/** It rests before it ends: on a fast machine it may be over before anybody saw it at work. */
const chart = `import matplotlib.pyplot as plt
import os
import time
os.makedirs("final", exist_ok=True)
plt.figure(figsize=(5, 3))
plt.bar(["Oslo", "Rome", "Lima"], [10, 12, 10])
plt.savefig("final/chart.png")
time.sleep(2)
print("drawn")`;

const words = (about: string): string =>
  `I went through ${about} line by line. Three cities are in it, none is empty, and the sums agree with the counts. ` +
  'The largest is Rome with 12; Oslo and Lima follow with 10 each. Nothing is missing, nothing comes twice.';

const report = `# Three cities

This report was produced by an AI system (Loom).

| city | amount |
|---|---|
| Oslo | 10 |
| Rome | 12 |
| Lima | 10 |

![Amounts by city](chart.png)

The figures are also in [a table](cities.csv). <script>document.title = 'owned'</script>
`;

function write3(asked: Asked): Answer {
  const steps = [
    write('final/report.md', report),
    write('final/cities.csv', 'city,amount\nOslo,10\nRome,12\nLima,10\n'),
  ];
  return steps[said(asked).length] ?? { text: 'The report and its table are written.' };
}

function paint(asked: Asked): Answer {
  if (said(asked).length > 0) return { text: words('the chart'), pauseMs };
  return { text: 'Drawing.', calls: [{ name: 'run_code', args: { language: 'python', code: chart } }], pauseMs };
}

function planned(asked: Asked): Answer {
  if (!heard(asked).includes('ASK') || results(asked).length > 0) return plan;
  return asks;
}

/** A brief with `ASK` is asked back first, one with `SLOW` takes some seconds over its first words. */
export const story: Script = (asked) => {
  const opening = heard(asked);
  if (asked.tools.includes('submit_plan')) return planned(asked);
  if (!asked.tools.includes('delegate')) return write3(asked);
  if (opening.includes('READ') && opening.includes('SLOW'))
    return { text: words('it again and again').repeat(14), pauseMs: 40 };
  if (opening.includes('PAINT')) return paint(asked);
  return { text: words('the file').repeat(opening.includes('READ') ? 4 : 2), pauseMs: 2 * pauseMs };
};
