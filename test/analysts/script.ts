/** A model for small jobs without a sandbox: a planner, one worker that looks at the files, and a writer. */
import type { Answer, Asked, Script } from '../emulators/script.ts';

const rounds = ({ turns }: Asked): number => turns.filter(({ role }) => role === 'assistant').length;

export const script: Script = (asked) => {
  if (asked.tools.includes('submit_plan')) return plan;
  if (asked.tools.includes('delegate')) return rounds(asked) === 0 ? look : { text: 'There is nothing to see.' };
  return rounds(asked) === 0 ? write : { text: 'It is written.' };
};

const plan: Answer = {
  text: 'One will do.',
  calls: [{ name: 'submit_plan', args: { agents: [{ id: 'one', role: 'looker', task: 'Look.', required: true }] } }],
};
const look: Answer = { text: 'Looking.', calls: [{ name: 'list_files', args: {} }] };
const write: Answer = {
  calls: [
    {
      name: 'write_artifact',
      args: { path: 'final/report.md', content: '# Report\n\nNothing. This report was produced by an AI system.\n' },
    },
  ],
};
