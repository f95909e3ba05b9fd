/** What an agent's transcript shows, entry by entry. */
import type { Agent, Call, Turn } from '../../../../../packages/job/src/pure.ts';
import type { Words } from './job-log.ts';

export type Entry =
  | { readonly kind: 'task'; readonly id: string; readonly text: string; readonly needs: readonly string[] }
  | { readonly kind: 'trouble'; readonly id: string; readonly text: string }
  | { readonly kind: 'said'; readonly id: string; readonly text: string; readonly step: number; readonly model: string }
  | { readonly kind: 'call'; readonly id: string; readonly call: Call; readonly state: string }
  | { readonly kind: 'speaking'; readonly id: string; readonly words: Words | null }
  | { readonly kind: 'finished'; readonly id: string; readonly outcome: string; readonly text: string };

export function entriesOf(agent: Agent, words: Words | null): readonly Entry[] {
  const { task, needs } = agent.spawned;
  const entries: Entry[] = [
    { kind: 'task', id: 'task', text: task, needs },
    ...agent.turns.flatMap((turn) => turnEntries(agent, turn)),
  ];
  const last = agent.turns.at(-1);
  if (last && last.reply === null && last.attempts.at(-1)?.settled === null && agent.finished === null)
    entries.push({ kind: 'speaking', id: `speaking-${last.n}`, words });
  if (agent.finished) {
    const { outcome, code, reason } = agent.finished;
    entries.push({ kind: 'finished', id: 'finished', outcome, text: reason ?? code });
  }
  return entries;
}

/** How far a call is; one that the decider takes up itself has no result of its own. */
function stateOf(agent: Agent, { result, where }: Call): string {
  if (result !== null) return result.outcome;
  if (where === 'person') return 'asking';
  return agent.finished === null ? 'acting' : 'taken up';
}

function turnEntries(agent: Agent, turn: Turn): Entry[] {
  const troubles = turn.attempts.flatMap(({ key, settled }): Entry[] =>
    settled === null || settled.outcome === 'completed'
      ? []
      : [{ kind: 'trouble', id: key, text: `Attempt ${settled.attempt} ${settled.outcome}: ${settled.code}` }],
  );
  if (turn.reply === null) return troubles;
  const { text, model } = turn.reply;
  const said: Entry[] = text === '' ? [] : [{ kind: 'said', id: `said-${turn.n}`, text, step: turn.n, model }];
  return [
    ...troubles,
    ...said,
    ...turn.calls.map((call): Entry => ({ kind: 'call', id: call.key, call, state: stateOf(agent, call) })),
  ];
}
