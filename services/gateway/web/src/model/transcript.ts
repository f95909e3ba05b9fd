/** What an agent's transcript shows, entry by entry. */
import type { Agent, Call, Turn } from '../../../../../packages/job/src/pure.ts';
import type { Words } from './job-log.ts';

export type Entry =
  | { readonly kind: 'task'; readonly id: string; readonly text: string; readonly needs: readonly string[] }
  | { readonly kind: 'trouble'; readonly id: string; readonly text: string }
  | { readonly kind: 'said'; readonly id: string; readonly text: string; readonly step: number; readonly model: string }
  | { readonly kind: 'call'; readonly id: string; readonly call: Call }
  | { readonly kind: 'speaking'; readonly id: string; readonly words: Words | null }
  | { readonly kind: 'finished'; readonly id: string; readonly outcome: string; readonly text: string };

export function entriesOf(agent: Agent, words: Words | null): readonly Entry[] {
  const { task, needs } = agent.spawned;
  const entries: Entry[] = [{ kind: 'task', id: 'task', text: task, needs }, ...agent.turns.flatMap(turnEntries)];
  const last = agent.turns.at(-1);
  if (last && last.reply === null && last.attempts.at(-1)?.settled === null && agent.finished === null)
    entries.push({ kind: 'speaking', id: `speaking-${last.n}`, words });
  if (agent.finished) {
    const { outcome, code, reason } = agent.finished;
    entries.push({ kind: 'finished', id: 'finished', outcome, text: reason ?? code });
  }
  return entries;
}

function turnEntries(turn: Turn): Entry[] {
  const troubles = turn.attempts.flatMap(({ key, settled }): Entry[] =>
    settled === null || settled.outcome === 'completed'
      ? []
      : [{ kind: 'trouble', id: key, text: `Attempt ${settled.attempt} ${settled.outcome}: ${settled.code}` }],
  );
  if (turn.reply === null) return troubles;
  const { text, model } = turn.reply;
  const said: Entry[] = text === '' ? [] : [{ kind: 'said', id: `said-${turn.n}`, text, step: turn.n, model }];
  return [...troubles, ...said, ...turn.calls.map((call): Entry => ({ kind: 'call', id: call.key, call }))];
}
