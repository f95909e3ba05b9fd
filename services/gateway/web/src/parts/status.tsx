import { titled } from '../model/figures.ts';

const tones: Readonly<Record<string, string>> = {
  queued: 'idle',
  waiting: 'idle',
  ready: 'idle',
  skipped: 'idle',
  planning: 'busy',
  running: 'busy',
  thinking: 'busy',
  acting: 'tool',
  retrying: 'ask',
  parked: 'ask',
  asking: 'ask',
  waiting_input: 'ask',
  waiting_approval: 'ask',
  waiting_budget: 'ask',
  completed: 'done',
  done: 'done',
  failed: 'bad',
  killed: 'bad',
  refused: 'bad',
  cancelled: 'idle',
};

/** The tone in which a status of a job or an agent is shown. */
export const toneOf = (status: string): string => tones[status] ?? 'idle';

export function Status({ of }: { readonly of: string }) {
  return (
    <span className="status" data-tone={toneOf(of)}>
      <span className="dot" aria-hidden="true" />
      {titled(of)}
    </span>
  );
}
