import { useState, type FormEvent } from 'react';
import { told } from '../api/client.ts';
import { setBudget } from '../api/jobs.ts';
import { microsOf, money } from '../model/figures.ts';
import { useApi } from '../parts/contexts.ts';
import { useShown } from './job-context.ts';

/** Spent and reserved against the cap, and how to set another. */
export function CostMeter() {
  const { view, log, position } = useShown();
  const [open, setOpen] = useState(false);
  const { spent_micros: spent, reserved_micros: reserved, budget_micros: cap } = view;
  const share = (micros: number): string => `${cap === 0 ? 0 : Math.min(100, (micros / cap) * 100)}%`;
  const words = `${money(spent)} of ${money(cap)}${reserved > 0 ? `, ${money(reserved)} reserved` : ''}`;
  return (
    <div className="cost">
      <div
        className="meter"
        role="meter"
        aria-label="Cost against budget"
        aria-valuemin={0}
        aria-valuemax={cap}
        aria-valuenow={Math.min(spent, cap)}
        aria-valuetext={words}
      >
        <span className="spent" style={{ width: share(spent) }} />
        <span className="reserved" style={{ width: share(reserved) }} />
      </div>
      <span className="words">
        <strong>{money(spent)}</strong> of {money(cap)}
        {reserved > 0 && <span className="quiet"> · {money(reserved)} reserved</span>}
      </span>
      {log.head.ended === null && position === null && (
        <button type="button" className="link" aria-expanded={open} onClick={() => setOpen(!open)}>
          Change budget
        </button>
      )}
      {open && <BudgetForm least={cap} close={() => setOpen(false)} />}
    </div>
  );
}

interface FormProps {
  /** What is offered, micro-USD. */
  readonly least: number;
  readonly close: () => void;
}

export function BudgetForm({ least, close }: FormProps) {
  const api = useApi();
  const { view } = useShown();
  const [typed, setTyped] = useState(String(Math.ceil(least / 10_000) / 100));
  const [state, setState] = useState({ busy: false, trouble: '' });
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    const micros = microsOf(typed);
    if (micros === null) return setState({ busy: false, trouble: 'An amount in dollars, such as 2.50.' });
    setState({ busy: true, trouble: '' });
    setBudget(api, view.id, micros).then(close, (cause: unknown) => setState({ busy: false, trouble: told(cause) }));
  };
  return (
    <form className="budget-form row" onSubmit={submit}>
      <label>
        <span>Budget, $</span>
        <input
          inputMode="decimal"
          className="amount"
          value={typed}
          onChange={(event) => setTyped(event.target.value)}
        />
      </label>
      <button type="submit" className="primary" disabled={state.busy}>
        Set budget
      </button>
      {state.trouble !== '' && (
        <span className="trouble" role="alert">
          {state.trouble}
        </span>
      )}
    </form>
  );
}
