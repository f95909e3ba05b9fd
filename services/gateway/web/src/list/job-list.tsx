import { useVirtualizer } from '@tanstack/react-virtual';
import { useEffect, useRef } from 'react';
import type { Summary } from '../api/jobs.ts';
import { money, when } from '../model/figures.ts';
import { Status } from '../parts/status.tsx';
import { Link } from '../route.tsx';
import { useJobs } from './jobs-store.tsx';

interface Props {
  readonly jobs: readonly Summary[];
  readonly current: string | null;
  readonly searching: boolean;
}

const rowHeight = 76;

/** Jobs by windowing; older ones are read when the end comes into sight. */
export function JobList({ jobs, current, searching }: Props) {
  const { more, loading, trouble, readMore } = useJobs();
  const scroller = useRef<HTMLDivElement>(null);
  const rows = useVirtualizer({
    count: jobs.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => rowHeight,
    overscan: 6,
    getItemKey: (at) => jobs[at]?.id ?? at,
  });
  const last = rows.getVirtualItems().at(-1)?.index ?? -1;
  useEffect(() => {
    if (more && !loading && !searching && last >= jobs.length - 3) readMore();
  }, [more, loading, searching, last, jobs.length, readMore]);
  return (
    <div className="job-rows" ref={scroller}>
      <ul style={{ height: rows.getTotalSize() }}>
        {rows.getVirtualItems().map(({ index, start, key }) => (
          <li
            key={key}
            style={{ transform: `translateY(${start}px)` }}
            aria-setsize={jobs.length}
            aria-posinset={index + 1}
          >
            <Row job={jobs[index]} current={jobs[index]?.id === current} />
          </li>
        ))}
      </ul>
      <Foot {...{ empty: jobs.length === 0, searching, trouble }} />
    </div>
  );
}

function Row({ job, current }: { readonly job: Summary | undefined; readonly current: boolean }) {
  if (job === undefined) return null;
  return (
    <Link className="job-row" href={`/jobs/${job.id}`} aria-current={current ? 'page' : undefined}>
      <span className="brief">{job.brief === '' ? 'Content is gone' : job.brief}</span>
      <span className="meta">
        <Status of={job.status} />
        <span>
          {money(job.spent_micros)} · {when(Date.parse(job.created_at))}
        </span>
      </span>
    </Link>
  );
}

interface FootProps {
  readonly empty: boolean;
  readonly searching: boolean;
  readonly trouble: string;
}

function Foot({ empty, searching, trouble }: FootProps) {
  const { all, more, loading, readMore } = useJobs();
  if (trouble !== '') return <p className="quiet pad-s">{trouble} Trying again …</p>;
  if (searching && more)
    return (
      <div className="pad-s quiet">
        <p>
          {empty ? 'None' : 'That is all'} among the newest {all.length}.
        </p>
        <button type="button" onClick={readMore} disabled={loading}>
          Look further back
        </button>
      </div>
    );
  if (!empty || loading) return null;
  return <p className="quiet pad-s">{searching ? 'No job has these words.' : 'Your jobs will stand here.'}</p>;
}
