/** What the emulated model does in a job of the chaos run: a small plan, tool calls of every home, and mishaps now and then. */
import type { Answer, Asked, Reply, Script } from '../../test/emulators/script.ts';
import type { Random } from './random.ts';

const heard = ({ turns }: Asked): string =>
  turns.flatMap((turn) => (turn.role === 'user' ? [turn.text] : [])).join('\n');
const rounds = ({ turns }: Asked): number => turns.filter(({ role }) => role === 'assistant').length;

const program = `import os
os.makedirs('final', exist_ok=True)
open('final/sum.txt', 'w').write(str(sum(range(1000))))
print('done')`;

const runCode = { name: 'run_code', args: { language: 'python', code: program, files: [] } };
const note = (name: string) => ({ name: 'write_artifact', args: { path: `final/${name}`, content: `${name}\n` } });

/** The brief says how many agents, and whether they run code: `AGENTS 3 CODE`. */
export const briefOf = (agents: number, code: boolean, name: string): string =>
  `${name}. AGENTS ${agents}${code ? ' CODE' : ''}. Write a report.`;

function plan(asked: Asked): Answer {
  const [, count = '1', code] = /AGENTS (\d+)( CODE)?/.exec(heard(asked)) ?? [];
  const agents = Array.from({ length: Number(count) }, (_, at) => ({
    id: `w${at}`,
    role: 'worker',
    task: code !== undefined && at % 2 === 0 ? `TASK code ${at}` : `TASK note ${at}`,
  }));
  return { calls: [{ name: 'submit_plan', args: { agents } }] };
}

function work(asked: Asked): Answer {
  const [, kind, at = '0'] = /TASK (\w+) (\d+)/.exec(heard(asked)) ?? [];
  if (rounds(asked) > 0) return { text: `Worker ${at} is done.` };
  return {
    text: 'Working.',
    calls: kind === 'code' ? [runCode, { name: 'list_files', args: {} }] : [note(`n${at}.txt`)],
  };
}

function write(asked: Asked): Answer {
  return rounds(asked) > 0 ? { text: 'The report is written.' } : { calls: [note('report.md')] };
}

function mishap(random: Random): Reply {
  return random.pick<Reply>([
    { fault: 'rate_limited', retryAfterSeconds: 1 },
    { fault: 'overloaded' },
    { fault: 'server_error' },
    { fault: 'cut', text: 'This answer breaks off in the middle of what it says.' },
  ]);
}

/** No call fails more often in a row: the wait doubles each time, beyond what a job is given to end in. */
const mostInARow = 2;

/** `mishaps`: the part of all calls that fail. */
export function chaosScript(random: Random, mishaps: number): Script {
  const failed = new Map<string, number>();
  return (asked) => {
    const call = JSON.stringify(asked.turns);
    const before = failed.get(call) ?? 0;
    failed.delete(call);
    if (random.chance(mishaps) && before < mostInARow) {
      failed.set(call, before + 1);
      return mishap(random);
    }
    if (asked.tools.includes('submit_plan')) return plan(asked);
    return {
      pauseMs: 4,
      ...(heard(asked).includes('TASK ') && asked.tools.includes('delegate') ? work(asked) : write(asked)),
    };
  };
}
