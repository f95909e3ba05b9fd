import { useEffect, useMemo } from 'react';
import type { Summary } from '../api/jobs.ts';
import { useJobs } from '../list/jobs-store.tsx';
import { counted, dayOf, money } from '../model/figures.ts';
import { Link } from '../route.tsx';

interface Sum {
  readonly name: string;
  readonly micros: number;
  readonly jobs: number;
}

function sumBy(jobs: readonly Summary[], nameOf: (job: Summary) => string): readonly Sum[] {
  const sums = new Map<string, Sum>();
  for (const job of jobs) {
    const name = nameOf(job);
    const { micros, jobs: number } = sums.get(name) ?? { micros: 0, jobs: 0 };
    sums.set(name, { name, micros: micros + job.spent_micros, jobs: number + 1 });
  }
  return [...sums.values()];
}

/** As many jobs as are read before one must ask for more. */
const enough = 500;

/** What the jobs came to: by day, by engagement, the dearest. */
export default function UsagePage() {
  const { all, more, loading, readMore } = useJobs();
  useEffect(() => {
    if (more && !loading && all.length < enough) readMore();
  }, [more, loading, all.length, readMore]);
  const total = all.reduce((sum, { spent_micros: micros }) => sum + micros, 0);
  const days = useMemo(() => sumBy(all, (job) => dayOf(Date.parse(job.created_at))).slice(0, 30), [all]);
  const engagements = useMemo(
    () => sumBy(all, ({ engagement }) => engagement).toSorted((a, b) => b.micros - a.micros || b.jobs - a.jobs),
    [all],
  );
  return (
    <div className="usage pad">
      <h1>Usage</h1>
      <p className="lead">
        {money(total)} over {counted(all.length, 'job')}
        {more && ', the newest'}.{' '}
        {more && (
          <button type="button" className="link" onClick={readMore} disabled={loading}>
            Count older ones too
          </button>
        )}
      </p>
      <Bars title="By day" sums={days} />
      <Bars title="By engagement" sums={engagements} />
      <Dearest jobs={all} />
    </div>
  );
}

function Bars({ title, sums }: { readonly title: string; readonly sums: readonly Sum[] }) {
  const top = Math.max(1, ...sums.map(({ micros }) => micros));
  return (
    <section>
      <h2>{title}</h2>
      <ul className="bars">
        {sums.map(({ name, micros, jobs }) => (
          <li key={name}>
            <span className="name">{name}</span>
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

function Dearest({ jobs }: { readonly jobs: readonly Summary[] }) {
  const dearest = jobs
    .filter(({ spent_micros: micros }) => micros > 0)
    .toSorted((a, b) => b.spent_micros - a.spent_micros);
  if (dearest.length === 0) return null;
  return (
    <section>
      <h2>Dearest jobs</h2>
      <ul className="bars">
        {dearest.slice(0, 10).map(({ id, brief, spent_micros: micros }) => (
          <li key={id}>
            <Link className="name wide" href={`/jobs/${id}`}>
              {brief}
            </Link>
            <span className="amount">{money(micros)}</span>
          </li>
        ))}
      </ul>
    </section>
  );
}
