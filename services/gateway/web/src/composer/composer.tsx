import { useRef, useState, type FormEvent, type KeyboardEvent } from 'react';
import { Problem, told } from '../api/client.ts';
import { submitJob, type Draft } from '../api/jobs.ts';
import { useJobs } from '../list/jobs-store.tsx';
import { microsOf } from '../model/figures.ts';
import { useApi } from '../parts/contexts.ts';
import { Icon } from '../parts/icons.tsx';
import { go } from '../route.tsx';
import { AddFiles, FileChips, useDrop } from './files.tsx';
import { forgetDraft, keptBrief, keepBrief } from './draft.ts';
import { Terms } from './terms.tsx';

interface Trouble {
  readonly text: string;
  readonly field: string | null;
}

/** Where a brief is written and sent. */
export function Composer() {
  const [files, setFiles] = useState<readonly File[]>([]);
  const [brief, setBrief] = useState(keptBrief);
  const [terms, setTerms] = useState({ engagement: '', budget: '' });
  const add = (more: readonly File[]): void => setFiles((before) => withFiles(before, more));
  const { over, handlers } = useDrop(add);
  const { send, busy, trouble } = useSending();
  const submit = (event?: FormEvent): void => {
    event?.preventDefault();
    if (!busy) void send({ brief, files, ...terms });
  };
  const write = (text: string): void => {
    setBrief(text);
    keepBrief(text);
  };
  return (
    <div className="composer-page">
      <h1>What should the swarm work on?</h1>
      <form className="composer card" data-over={over || undefined} onSubmit={submit} noValidate {...handlers}>
        <BriefField {...{ brief, write, submit, trouble }} />
        <FileChips files={files} remove={(name) => setFiles(files.filter((file) => file.name !== name))} />
        <div className="composer-foot">
          <AddFiles add={add} />
          <Terms terms={terms} change={setTerms} trouble={trouble} />
          <button type="submit" className="primary send" disabled={busy || brief.trim() === ''}>
            <Icon name="send" />
            {busy ? 'Sending …' : 'Start'}
          </button>
        </div>
        <Told trouble={trouble} />
      </form>
      <p className="quiet hint">
        Drop files anywhere on the box, 50 MB together. <kbd>Ctrl</kbd> <kbd>Enter</kbd> starts.
      </p>
    </div>
  );
}

function Told({ trouble }: { readonly trouble: Trouble | null }) {
  if (trouble === null) return null;
  return (
    <p className="trouble" role="alert" id="composer-trouble">
      {trouble.text}
    </p>
  );
}

/** A file of the same name takes the place of the one before. */
const withFiles = (before: readonly File[], more: readonly File[]): readonly File[] => [
  ...before.filter(({ name }) => !more.some((file) => file.name === name)),
  ...more,
];

interface BriefProps {
  readonly brief: string;
  readonly write: (text: string) => void;
  readonly submit: () => void;
  readonly trouble: Trouble | null;
}

function BriefField({ brief, write, submit, trouble }: BriefProps) {
  const keys = (event: KeyboardEvent): void => {
    if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) submit();
  };
  return (
    <textarea
      className="brief-field"
      aria-label="Brief"
      aria-invalid={trouble?.field === 'brief' || undefined}
      aria-describedby={trouble === null ? undefined : 'composer-trouble'}
      placeholder="Compare these three datasets and write me a report …"
      value={brief}
      onChange={(event) => write(event.target.value)}
      onKeyDown={keys}
      rows={5}
      autoFocus
    />
  );
}

interface Wanted {
  readonly brief: string;
  readonly files: readonly File[];
  readonly engagement: string;
  readonly budget: string;
}

/** The draft as the API takes it. @throws Problem that names the field */
function draftOf({ brief, files, engagement, budget }: Wanted): Draft {
  const budgetMicros = budget.trim() === '' ? null : microsOf(budget);
  if (budget.trim() !== '' && budgetMicros === null)
    throw new Problem(0, 'validation_failed', 'The budget is an amount in dollars, such as 2.50.', 'budget_micros');
  const name = engagement.trim();
  if (name !== '' && !/^[a-z0-9][a-z0-9_-]{0,63}$/.test(name))
    throw new Problem(0, 'validation_failed', 'An engagement is lower-case letters, digits, _ and -.', 'engagement');
  return { brief, files, engagement: name, budgetMicros };
}

function useSending() {
  const api = useApi();
  const { refresh } = useJobs();
  const [busy, setBusy] = useState(false);
  const [trouble, setTrouble] = useState<Trouble | null>(null);
  const sent = useRef<{ draft: string; key: string } | null>(null);
  const send = async (wanted: Wanted): Promise<void> => {
    setBusy(true);
    setTrouble(null);
    try {
      const draft = draftOf(wanted);
      const id = await submitJob(api, draft, keyFor(sent, wanted));
      forgetDraft();
      refresh();
      go(`/jobs/${id}`);
    } catch (cause) {
      setTrouble({ text: told(cause), field: cause instanceof Problem ? cause.field : null });
    } finally {
      setBusy(false);
    }
  };
  return { send, busy, trouble };
}

/** The same key for the same draft: whoever presses the button again after a broken line gets the job that is there. */
function keyFor(sent: { current: { draft: string; key: string } | null }, wanted: Wanted): string {
  const files = wanted.files.map(({ name, size, lastModified }) => [name, size, lastModified]);
  const draft = JSON.stringify([wanted.brief, wanted.engagement, wanted.budget, files]);
  if (sent.current?.draft !== draft) sent.current = { draft, key: crypto.randomUUID() };
  return sent.current.key;
}
