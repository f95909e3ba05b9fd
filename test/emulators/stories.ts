/** What happens to a job besides its work, told by a word in its brief, so that jobs side by side have each their own. */
import type { Asked, Reply, Script } from './script.ts';

const briefOf = ({ turns }: Asked): string =>
  turns.flatMap((turn) => (turn.role === 'user' ? [turn.text] : []))[0] ?? '';

function roleOf({ tools }: Asked): 'planner' | 'worker' | 'writer' {
  if (tools.includes('submit_plan')) return 'planner';
  return tools.includes('delegate') ? 'worker' : 'writer';
}

const mishaps = {
  planner: { fault: 'rate_limited', retryAfterSeconds: 2 },
  worker: { fault: 'overloaded' },
  writer: { fault: 'cut', text: 'This answer breaks off in the middle, and nobody knows what it would have said.' },
} as const satisfies Readonly<Record<string, Reply>>;

/**
 * A script under stories: `STORY faults` gives the first call of each role a mishap of its own, `STORY dear` uses every output token
 * that a call may use, `STORY refused` turns the key down.
 */
export function storied(script: Script): Script {
  const met = new Set<string>();
  return async (asked, call) => {
    const story = /STORY (\w+)/.exec(briefOf(asked))?.[1];
    const role = roleOf(asked);
    if (story === 'refused') return { fault: 'unauthorized' };
    if (story === 'faults' && !met.has(role)) {
      met.add(role);
      return mishaps[role];
    }
    const reply = await script(asked, call);
    if (story !== 'dear' || 'fault' in reply) return reply;
    return { ...reply, usage: { input: 1_000, cached: 200, output: asked.maxTokens } };
  };
}
