import { useMemo } from 'react';
import { count, money } from '../model/figures.ts';
import { byAgent, byModel, type Spending } from '../model/spending.ts';
import { useShown } from './job-context.ts';

/** What the job cost, by model and by agent. */
export function SpendingPanel() {
  const { job, view, version, position } = useShown();
  const sums = useMemo(() => ({ model: byModel(job), agent: byAgent(job) }), [job, version, position]);
  return (
    <div className="spending pad" tabIndex={0} role="region" aria-label="Cost">
      <dl className="totals">
        <Total name="Spent" micros={view.spent_micros} />
        <Total name="Reserved" micros={view.reserved_micros} />
        <Total name="Left" micros={Math.max(0, view.budget_micros - view.spent_micros - view.reserved_micros)} />
        <Total name="Budget" micros={view.budget_micros} />
      </dl>
      <Table caption="By model" rows={sums.model} />
      <Table caption="By agent" rows={sums.agent} />
    </div>
  );
}

function Total({ name, micros }: { readonly name: string; readonly micros: number }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{money(micros)}</dd>
    </div>
  );
}

/** More rows than anybody reads. */
const most = 100;

function Table({ caption, rows }: { readonly caption: string; readonly rows: readonly Spending[] }) {
  const top = Math.max(1, ...rows.map(({ micros, tokensIn }) => micros || tokensIn));
  return (
    <table className="figures-table">
      <caption>{caption}</caption>
      <thead>
        <tr>
          <th scope="col">Name</th>
          <th scope="col">Steps</th>
          <th scope="col">Tokens in</th>
          <th scope="col">Tokens out</th>
          <th scope="col">Cost</th>
        </tr>
      </thead>
      <tbody>
        {rows.slice(0, most).map(({ name, steps, tokensIn, tokensOut, micros }) => (
          <tr key={name}>
            <th scope="row">
              <span className="share" style={{ width: `${((micros || tokensIn) / top) * 100}%` }} />
              {name}
            </th>
            <td>{count(steps)}</td>
            <td>{count(tokensIn)}</td>
            <td>{count(tokensOut)}</td>
            <td>{money(micros)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
