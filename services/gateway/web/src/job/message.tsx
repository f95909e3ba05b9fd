import { useId, useState, type FormEvent, type KeyboardEvent } from 'react';
import { told } from '../api/client.ts';
import { say } from '../api/jobs.ts';
import { useJobs } from '../list/jobs-store.tsx';
import { useApi } from '../parts/contexts.ts';
import { Icon } from '../parts/icons.tsx';
import { go } from '../route.tsx';
import { useShown } from './job-context.ts';

/** Adds to the brief of a running job; starts a follow-up to one that has ended. */
export function Message() {
  const { log, position } = useShown();
  const { text, setText, send, busy, trouble } = useMessage();
  const field = useId();
  if (position !== null) return null;
  const words = log.head.ended === null ? 'Add to the brief' : 'Follow up in a new job';
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    send();
  };
  const keys = (event: KeyboardEvent): void => {
    if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) send();
  };
  return (
    <form className="message" onSubmit={submit}>
      <label className="hidden" htmlFor={field}>
        {words}
      </label>
      <textarea
        id={field}
        rows={1}
        placeholder={words}
        value={text}
        onChange={(event) => setText(event.target.value)}
        onKeyDown={keys}
      />
      <button type="submit" className="primary icon-button" aria-label={words} disabled={busy || text.trim() === ''}>
        <Icon name="send" />
      </button>
      {trouble !== '' && (
        <p className="trouble" role="alert">
          {trouble}
        </p>
      )}
    </form>
  );
}

function useMessage() {
  const api = useApi();
  const { view } = useShown();
  const { refresh } = useJobs();
  const [text, setText] = useState('');
  const [state, setState] = useState({ busy: false, trouble: '' });
  const send = (): void => {
    if (state.busy || text.trim() === '') return;
    setState({ busy: true, trouble: '' });
    say(api, view.id, text).then(
      (followUp) => {
        setText('');
        setState({ busy: false, trouble: '' });
        if (followUp === null) return;
        refresh();
        go(`/jobs/${followUp}`);
      },
      (cause: unknown) => setState({ busy: false, trouble: told(cause) }),
    );
  };
  return { text, setText, send, ...state };
}
