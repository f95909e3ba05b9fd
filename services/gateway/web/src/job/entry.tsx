import { lazy, Suspense, type ReactNode } from 'react';
import type { Call } from '../../../../../packages/job/src/pure.ts';
import { titled, worded } from '../model/figures.ts';
import type { Words } from '../model/job-log.ts';
import type { Entry } from '../model/transcript.ts';
import { Icon } from '../parts/icons.tsx';
import { Code } from './code.tsx';

const Markdown = lazy(() => import('../files/markdown.tsx'));

interface Props {
  readonly entry: Entry;
  readonly open: boolean;
  readonly toggle: (open: boolean) => void;
}

export function EntryView({ entry, open, toggle }: Props): ReactNode {
  switch (entry.kind) {
    case 'task':
      return <Task text={entry.text} needs={entry.needs} />;
    case 'said':
      return <Said text={entry.text} foot={`step ${entry.step} · ${entry.model}`} />;
    case 'speaking':
      return <Speaking words={entry.words} />;
    case 'call':
      return <ToolCall call={entry.call} state={entry.state} open={open} toggle={toggle} />;
    case 'trouble':
      return (
        <p className="entry trouble-line">
          <Icon name="warn" size={13} /> {entry.text}
        </p>
      );
    case 'finished':
      return (
        <p className="entry finished quiet">
          {titled(entry.outcome)}
          {entry.text === '' ? '' : `: ${entry.text}`}
        </p>
      );
  }
}

function Task({ text, needs }: { readonly text: string; readonly needs: readonly string[] }) {
  return (
    <div className="entry task">
      <span className="label">Task</span>
      <p>{text}</p>
      {needs.length > 0 && <p className="quiet">waits for {needs.join(', ')}</p>}
    </div>
  );
}

function Said({ text, foot }: { readonly text: string; readonly foot: string }) {
  return (
    <div className="entry said">
      <Suspense fallback={<p className="plain">{text}</p>}>
        <Markdown text={text} />
      </Suspense>
      <span className="foot">{foot}</span>
    </div>
  );
}

/** Words as they come; plain, since half a table is no table yet. */
function Speaking({ words }: { readonly words: Words | null }) {
  return (
    <div className="entry said speaking">
      {words?.holed && <p className="quiet">The beginning was missed; the whole text comes when the step is done.</p>}
      <p className="plain">
        {words?.text ?? ''}
        <span className="caret" aria-label="thinking" role="img" />
      </p>
    </div>
  );
}

type CallProps = { readonly call: Call; readonly state: string } & Omit<Props, 'entry'>;

function ToolCall({ call, state, open, toggle }: CallProps) {
  return (
    <details
      className="entry call"
      data-state={state}
      open={open}
      onToggle={(event) => toggle(event.currentTarget.open)}
    >
      <summary>
        <Icon name={call.where === 'person' ? 'person' : 'tool'} size={13} />
        <span className="mono">{call.name}</span>
        <span className="outcome">{worded(state)}</span>
      </summary>
      {open && (
        <div className="call-body">
          <span className="label">Arguments</span>
          <Code text={call.args} json />
          <span className="label">Result</span>
          {call.result === null ? (
            <p className="quiet">{state === 'taken up' ? 'None of its own' : 'Not there yet'}</p>
          ) : (
            <Code text={call.result.text} />
          )}
        </div>
      )}
    </details>
  );
}
