import { lazy, Suspense, useState, type KeyboardEvent, type ReactNode } from 'react';
import { FactList } from './fact-list.tsx';
import { Graph } from './graph.tsx';
import { useShown } from './job-context.ts';
import { SpendingPanel } from './spending-panel.tsx';

const FilesPanel = lazy(() => import('../files/files-panel.tsx'));

const names = { swarm: 'Swarm', files: 'Files', facts: 'Facts', cost: 'Cost' } as const;
type Name = keyof typeof names;
const order = Object.keys(names) as Name[];

function panelOf(name: Name): ReactNode {
  switch (name) {
    case 'swarm':
      return <Graph />;
    case 'files':
      return (
        <Suspense fallback={<p className="quiet pad">Loading …</p>}>
          <FilesPanel />
        </Suspense>
      );
    case 'facts':
      return <FactList />;
    case 'cost':
      return <SpendingPanel />;
  }
}

/** The job from four sides. */
export function Tabs() {
  const [open, setOpen] = useState<Name>('swarm');
  const move = (event: KeyboardEvent): void => {
    const by = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (by === undefined) return;
    const next = order[(order.indexOf(open) + by + order.length) % order.length] ?? open;
    setOpen(next);
    document.getElementById(`tab-${next}`)?.focus();
  };
  return (
    <section className="tabs">
      <div role="tablist" aria-label="Views of the job" onKeyDown={move}>
        {order.map((name) => (
          <Tab key={name} name={name} open={open === name} choose={() => setOpen(name)} />
        ))}
      </div>
      <div role="tabpanel" id="panel" aria-labelledby={`tab-${open}`} className={`panel panel-${open}`}>
        {panelOf(open)}
      </div>
    </section>
  );
}

interface TabProps {
  readonly name: Name;
  readonly open: boolean;
  readonly choose: () => void;
}

function Tab({ name, open, choose }: TabProps) {
  const { view, job } = useShown();
  const number = { swarm: view.agents.length, files: view.artifacts.length, facts: job.facts, cost: 0 }[name];
  return (
    <button
      type="button"
      role="tab"
      id={`tab-${name}`}
      aria-selected={open}
      aria-controls="panel"
      tabIndex={open ? 0 : -1}
      onClick={choose}
    >
      {names[name]}
      {number > 0 && <span className="count">{number}</span>}
    </button>
  );
}
