import { useId, useState, type FormEvent } from 'react';
import { told } from '../api/client.ts';
import { say } from '../api/jobs.ts';
import { money } from '../model/figures.ts';
import { useApi } from '../parts/contexts.ts';
import { Icon } from '../parts/icons.tsx';
import { BudgetForm } from './cost-meter.tsx';
import { useShown } from './job-context.ts';

/** What the job waits for a person to say, answered where it stands. */
export function Pending() {
  const { view, job, position } = useShown();
  if (view.pending.length === 0 && job.exhausted === null) return null;
  return (
    <section className="pending" aria-label="Waiting for you">
      {view.pending.map(({ id, agent, question }) => (
        <Question key={id} {...{ id, agent, question, open: position === null }} />
      ))}
      {job.exhausted !== null && view.status === 'waiting_budget' && <Exhausted needed={job.exhausted} />}
    </section>
  );
}

interface QuestionProps {
  readonly id: string;
  readonly agent: string;
  readonly question: string;
  readonly open: boolean;
}

function Question({ id, agent, question, open }: QuestionProps) {
  const { job } = useShown();
  return (
    <div className="card question">
      <p className="who">
        <Icon name="person" />
        {job.agents.get(agent)?.spawned.role ?? agent} asks
      </p>
      <p className="ask">{question}</p>
      {open && <Answer question={id} />}
    </div>
  );
}

function Answer({ question }: { readonly question: string }) {
  const api = useApi();
  const { view } = useShown();
  const field = useId();
  const [text, setText] = useState('');
  const [state, setState] = useState({ busy: false, trouble: '' });
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    setState({ busy: true, trouble: '' });
    say(api, view.id, text, question).catch((cause: unknown) => setState({ busy: false, trouble: told(cause) }));
  };
  return (
    <form className="answer" onSubmit={submit}>
      <label className="hidden" htmlFor={field}>
        Your answer
      </label>
      <textarea
        id={field}
        rows={2}
        placeholder="Your answer"
        value={text}
        onChange={(event) => setText(event.target.value)}
      />
      <button type="submit" className="primary" disabled={state.busy || text.trim() === ''}>
        {state.busy ? 'Sent' : 'Answer'}
      </button>
      {state.trouble !== '' && (
        <p className="trouble" role="alert">
          {state.trouble}
        </p>
      )}
    </form>
  );
}

function Exhausted({ needed }: { readonly needed: number }) {
  const { position } = useShown();
  return (
    <div className="card question">
      <p className="who">
        <Icon name="warn" />
        The budget is spent
      </p>
      <p className="ask">The next step needs a budget of {money(needed)}.</p>
      {position === null && <BudgetForm least={Math.ceil(needed * 1.5)} close={() => undefined} />}
    </div>
  );
}
