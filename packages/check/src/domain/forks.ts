/** Invariant 8: replay never acts. */
import type { Rule } from './rule.ts';

/** Whose facts are the job's own; others look after the log. */
const works: ReadonlySet<string> = new Set(['gateway', 'orchestrator', 'agent-runner', 'sandbox', 'timer']);

/** What is written only by who really called, ran or paid for something. */
const deeds: ReadonlySet<string> = new Set([
  'step.claimed',
  'tool.claimed',
  'model.called',
  'tool.called',
  'workspace.closed',
]);

export const replayed: Rule = {
  name: 'replayed',
  invariant: 8,
  promise:
    'Every fact of the work of a fork says how it came about, no other fact does; a playback claims, calls and runs nothing.',
  watch: () => {
    let how: string | undefined;
    return {
      see: ({ fact }) => {
        for (const item of fact.items) if (item.type === 'job.submitted') how = replayOf(item.body.mode);
        if (works.has(fact.source) && fact.type !== 'message.parked' && fact.replay !== how)
          return `it is ${fact.replay ?? 'no replay'} in a job of ${how ?? 'its own'}`;
        return how === 'playback' && deeds.has(fact.type) ? `a playback did what only ${fact.type} records` : null;
      },
    };
  },
};

const replayOf = (mode: 'reexecute' | 'playback' | null): string | undefined =>
  mode === 'reexecute' ? 're-execute' : (mode ?? undefined);
