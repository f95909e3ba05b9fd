import { useEffect, useState } from 'react';
import { told } from '../api/client.ts';
import { usageBy, type Group, type Usage } from '../api/usage.ts';
import { useJobs } from '../list/jobs-store.tsx';
import { counted, dayOf, money } from '../model/figures.ts';
import { useApi } from '../parts/contexts.ts';
import { Link } from '../route.tsx';

interface Shown {
  readonly days: Usage;
  readonly engagements: Usage;
  readonly models: Usage;
  readonly jobs: Usage;
}

/** The gateway's sums, or why there are none. */
function useUsage(): { readonly shown: Shown | null; readonly trouble: string } {
  const api = useApi();
  const [shown, setShown] = useState<Shown | null>(null);
  const [trouble, setTrouble] = useState('');
  useEffect(() => {
    let gone = false;
    const asked = [
      usageBy(api, 'day', 31),
      usageBy(api, 'engagement', 20),
      usageBy(api, 'model', 20),
      usageBy(api, 'job', 10),
    ];
    Promise.all(asked)
      .then(([days, engagements, models, jobs]) => {
        if (!gone && days && engagements && models && jobs) setShown({ days, engagements, models, jobs });
      })
      .catch((cause: unknown) => gone || setTrouble(told(cause)));
    return () => void (gone = true);
  }, [api]);
  return { shown, trouble };
}

const utcDay = (key: string): string => dayOf(Date.parse(`${key}T12:00:00Z`));
const named = (key: string): string => (key === '' ? 'none' : key);

/** What the jobs of the last 30 days came to: by day, by engagement, by model, the dearest. */
export default function UsagePage() {
  const { shown, trouble } = useUsage();
  return (
    <div className="usage pad">
      <h1>Usage</h1>
      {trouble !== '' && (
        <p className="lead" role="alert">
          {trouble}
        </p>
      )}
      {shown && (
        <>
          <p className="lead">
            {money(shown.days.total.spent_micros)} over {counted(shown.days.total.jobs, 'job')} since{' '}
            {dayOf(Date.parse(shown.days.from))}.
          </p>
          <Bars title="By day (UTC)" groups={shown.days.items} nameOf={utcDay} />
          <Bars title="By engagement" groups={shown.engagements.items} nameOf={named} />
          <Bars title="By model" groups={shown.models.items.filter(({ steps }) => steps > 0)} nameOf={named} />
          <Dearest jobs={shown.jobs.items} />
        </>
      )}
    </div>
  );
}

interface BarsProps {
  readonly title: string;
  readonly groups: readonly Group[];
  readonly nameOf: (key: string) => string;
}

function Bars({ title, groups, nameOf }: BarsProps) {
  const top = Math.max(1, ...groups.map(({ spent_micros: micros }) => micros));
  return (
    <section>
      <h2>{title}</h2>
      <ul className="bars">
        {groups.map(({ key, spent_micros: micros, jobs }) => (
          <li key={key}>
            <span className="name">{nameOf(key)}</span>
            <span className="bar" aria-hidden="true">
              <span style={{ width: `${(micros / top) * 100}%` }} />
            </span>
            <span className="amount">{money(micros)}</span>
            <span className="quiet">{counted(jobs, 'job')}</span>
          </li>
        ))}
      </ul>
    </section>
  );
}

function Dearest({ jobs }: { readonly jobs: readonly Group[] }) {
  const { all } = useJobs();
  const dear = jobs.filter(({ spent_micros: micros }) => micros > 0);
  if (dear.length === 0) return null;
  return (
    <section>
      <h2>Dearest jobs</h2>
      <ul className="bars">
        {dear.map(({ key, spent_micros: micros }) => (
          <li key={key}>
            <Link className="name wide" href={`/jobs/${key}`}>
              {all.find(({ id }) => id === key)?.brief || key}
            </Link>
            <span className="amount">{money(micros)}</span>
          </li>
        ))}
      </ul>
    </section>
  );
}
