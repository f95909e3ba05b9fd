/** What the emulated model says in the jobs of a cluster: three writers of several notes each, and a report. */
import type { Answer, Asked, Script } from '../emulators/script.ts';

const heard = ({ turns }: Asked): string =>
  turns.flatMap((turn) => (turn.role === 'user' ? [turn.text] : [])).join('\n');
const rounds = ({ turns }: Asked): number => turns.filter(({ role }) => role === 'assistant').length;

const note = (path: string): Answer => ({
  text: `Writing ${path}.`,
  calls: [{ name: 'write_artifact', args: { path, content: `${path}\n` } }],
  pauseMs: 20,
});

const plan: Answer = {
  calls: [
    {
      name: 'submit_plan',
      args: { agents: [1, 2, 3].map((n) => ({ id: `w${n}`, role: 'writer of notes', task: `NOTES ${n}` })) },
    },
  ],
};

/** Notes that one agent writes, each in a step of its own. */
const notes = 4;

export const notesScript: Script = (asked) => {
  if (asked.tools.includes('submit_plan')) return plan;
  const [, agent] = /NOTES (\d)/.exec(heard(asked)) ?? [];
  if (agent === undefined || !asked.tools.includes('delegate'))
    return rounds(asked) > 0 ? { text: 'It is written.' } : note('final/report.md');
  return rounds(asked) < notes
    ? note(`final/note-${agent}-${rounds(asked)}.txt`)
    : { text: `Writer ${agent} is done.` };
};
