import { useEffect, useMemo, useRef } from 'react';
import { killAgent } from '../api/jobs.ts';
import { counted, money } from '../model/figures.ts';
import { entriesOf } from '../model/transcript.ts';
import { Ask } from '../parts/ask.tsx';
import { useApi } from '../parts/contexts.ts';
import { Status } from '../parts/status.tsx';
import { useChoice, useShown } from './job-context.ts';
import { Message } from './message.tsx';
import { Transcript } from './transcript.tsx';
import { useRested } from './use-rested.ts';

/** A transcript is the dearest thing to draw: it waits until keys and slider rest, longer than a key that is held down takes to come again. ms */
const rest = 160;

/** One agent: what it is, what it said and did. */
export function Inspector() {
  const { job, log, view, version, position } = useShown();
  const { agent: chosen } = useChoice();
  const id = useRested(chosen, rest);
  const at = useRested(position, rest);
  const agent = id === null ? undefined : job.agents.get(id);
  const words = position === null && id !== null ? log.wordsOf(id) : null;
  const entries = useMemo(() => (agent ? entriesOf(agent, words) : []), [id, words, version, at]);
  const shown = view.agents.find((one) => one.id === id);
  const place = useBroughtUp(chosen);
  return (
    <aside ref={place} className="inspector" aria-label="Transcript of the chosen agent">
      {shown && (
        <div className="inspector-head">
          <div className="row">
            <h2>{shown.role}</h2>
            <Status of={shown.status} />
          </div>
          <p className="facts quiet">
            <span className="mono">{shown.id}</span>
            <span>{counted(shown.steps, 'step')}</span>
            <span>{counted(shown.tokens, 'token')}</span>
            <span>{money(shown.spent_micros)}</span>
          </p>
          <KillAgent id={shown.id} role={shown.role} over={agent?.finished !== null} />
        </div>
      )}
      <Transcript agent={id} entries={entries} />
      <Message />
    </aside>
  );
}

/** Where the transcript stands below the swarm (on a phone), choosing an agent brings it into sight. */
function useBroughtUp(chosen: string | null) {
  const place = useRef<HTMLElement>(null);
  const before = useRef(chosen);
  useEffect(() => {
    const first = before.current === null;
    if (before.current === chosen) return;
    before.current = chosen;
    if (!first && matchMedia('(max-width: 860px)').matches) place.current?.scrollIntoView({ block: 'start' });
  }, [chosen]);
  return place;
}

function KillAgent({ id, role, over }: { readonly id: string; readonly role: string; readonly over: boolean }) {
  const api = useApi();
  const { view, log, position } = useShown();
  if (over || position !== null || log.head.ended !== null || log.head.agents.get(id)?.killRequested) return null;
  return (
    <Ask
      label="Kill agent"
      className="link danger-text"
      question={`Kill ${role}?`}
      act={() => killAgent(api, view.id, id)}
    >
      This agent stops at once; the others go on without it where they can.
    </Ask>
  );
}
