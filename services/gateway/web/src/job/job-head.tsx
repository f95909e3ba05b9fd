import { useState } from 'react';
import { cancelJob, killJob } from '../api/jobs.ts';
import type { Line } from '../api/follow.ts';
import { counted, duration } from '../model/figures.ts';
import { Ask } from '../parts/ask.tsx';
import { useApi } from '../parts/contexts.ts';
import { Icon } from '../parts/icons.tsx';
import { Status } from '../parts/status.tsx';
import { Link } from '../route.tsx';
import { CostMeter } from './cost-meter.tsx';
import { useShown } from './job-context.ts';
import { useNow } from './use-now.ts';

/** Long briefs are folded behind this many characters. */
const longBrief = 240;

export function JobHead({ line }: { readonly line: Line }) {
  const { view } = useShown();
  const [open, setOpen] = useState(false);
  const long = view.brief.length > longBrief;
  return (
    <section className="job-head">
      <Link href="/" className="back" aria-label="All jobs">
        <Icon name="back" />
      </Link>
      <div className="headline">
        <Status of={view.status} />
        <LineState line={line} />
        <Controls />
      </div>
      <h1 className="brief-title" data-folded={(long && !open) || undefined}>
        {view.brief}
      </h1>
      {long && (
        <button type="button" className="link" aria-expanded={open} onClick={() => setOpen(!open)}>
          {open ? 'Show less' : 'Show the whole brief'}
        </button>
      )}
      <Facts />
      <CostMeter />
      <Added />
      <Ending />
    </section>
  );
}

function Facts() {
  const { view, job, position } = useShown();
  const now = useNow(job.ended === null && position === null);
  const until = job.ended?.at ?? (position === null ? now : job.time);
  const files = job.submitted?.attachments.length ?? 0;
  return (
    <p className="facts quiet">
      <span>{view.engagement}</span>
      <span>{counted(view.agents.length, 'agent')}</span>
      {files > 0 && <span>{counted(files, 'attachment')}</span>}
      <span>{duration(until - job.submittedAt)}</span>
      {view.model !== '' && <span>{view.model}</span>}
      {view.follows !== undefined && <Link href={`/jobs/${view.follows}`}>follows another job</Link>}
      <span className="mono id">{view.id}</span>
    </p>
  );
}

/** What people added to the brief since; answers stand with their questions. */
function Added() {
  const { job } = useShown();
  const added = job.messages.filter(({ inReplyTo }) => inReplyTo === null);
  if (added.length === 0) return null;
  return (
    <ul className="added" aria-label="Added to the brief">
      {added.map(({ key, text }) => (
        <li key={key}>
          <Icon name="person" size={13} /> {text}
        </li>
      ))}
    </ul>
  );
}

/** Whether what is shown is still coming. */
function LineState({ line }: { readonly line: Line }) {
  if (line !== 'lost') return null;
  return (
    <span className="line-state" role="status">
      Connection lost, coming back …
    </span>
  );
}

function Controls() {
  const api = useApi();
  const { view, log, position } = useShown();
  if (log.head.ended !== null || position !== null) return null;
  const asked = log.head.killRequested || log.head.cancelRequested;
  return (
    <div className="controls">
      {asked && <span className="quiet">{log.head.killRequested ? 'stopping' : 'ending'} …</span>}
      {!log.head.cancelRequested && (
        <Ask label="Cancel job" className="" question="Cancel this job?" act={() => cancelJob(api, view.id)}>
          Steps in flight are finished and paid; nothing new begins.
        </Ask>
      )}
      {!log.head.killRequested && (
        <Ask label="Kill job" className="danger-text" question="Kill this job?" act={() => killJob(api, view.id)}>
          Everything stops at once, in the middle of what it does.
        </Ask>
      )}
    </div>
  );
}

function Ending() {
  const { view } = useShown();
  const end = view.refusal ?? view.failure;
  if (end === undefined) return null;
  return (
    <div className="notice bad">
      <Icon name="warn" />
      <div>
        <strong>{view.refusal ? 'Refused' : 'Failed'}:</strong> {end.reason} <span className="mono">{end.code}</span>
      </div>
    </div>
  );
}
