/**
 * A model for small jobs with a planner, one worker and a writer: `ASK` in the brief makes it ask first, `SLOW` gives its worker nothing to do,
 * `SHORT` its writer less to say. */
import type { Answer, Asked, Script } from '../../../test/emulators/script.ts';

export const heard = ({ turns }: Asked): string =>
  turns.flatMap((turn) => (turn.role === 'user' ? [turn.text] : [])).join('\n');
const rounds = ({ turns }: Asked): number => turns.filter(({ role }) => role === 'assistant').length;

export const replayScript: Script = (asked) => {
  if (asked.tools.includes('submit_plan')) return plan(asked);
  if (!asked.tools.includes('delegate')) return write(asked);
  return heard(asked).includes('SLOW') ? { text: 'There it is.' } : work(asked);
};

function plan(asked: Asked): Answer {
  const asks = heard(asked).includes('ASK') && rounds(asked) === 0;
  if (asks) return { calls: [{ name: 'ask_user', args: { question: 'By day or by month?' } }] };
  const agents = [{ id: 'one', role: 'counter', task: 'Count.', required: true }];
  return { text: 'One will do.', calls: [{ name: 'submit_plan', args: { agents } }] };
}

function work(asked: Asked): Answer {
  if (rounds(asked) > 0) return { text: 'There are two rows.' };
  const code = { language: 'python', code: 'print(sum(1 for _ in range(2)))' };
  const calls = [
    { name: 'run_code', args: code },
    { name: 'list_files', args: {} },
  ];
  return { text: 'Counting.', calls };
}

function write(asked: Asked): Answer {
  if (rounds(asked) > 0) return { text: 'It is in final/report.md.' };
  const rows = heard(asked).includes('SHORT') ? 'Two.' : 'Two rows.';
  const content = `# Report\n\n${rows} This report was produced by an AI system.\n`;
  return { calls: [{ name: 'write_artifact', args: { path: 'final/report.md', content } }] };
}
