import { use, useMemo, useState } from 'react';
import { Icon, Mark } from '../parts/icons.tsx';
import { SignOutContext } from '../parts/contexts.ts';
import { ThemeSwitch } from '../parts/theme.tsx';
import { Link, type Route } from '../route.tsx';
import { JobList } from './job-list.tsx';
import { useJobs } from './jobs-store.tsx';
import { matches } from './matches.ts';

/** Who one is, what there is: new brief, search, the jobs. */
export function Sidebar({ route }: { readonly route: Route }) {
  return (
    <header className="sidebar">
      <div className="brand">
        <Link href="/" className="home" aria-label="Loom, start">
          <Mark size={26} />
          <span>Loom</span>
        </Link>
        <Tools route={route} />
      </div>
      <Link href="/" className="button primary wide new-job" aria-current={route.view === 'home' ? 'page' : undefined}>
        <Icon name="plus" />
        New brief
      </Link>
      <Search current={route.view === 'job' ? route.id : null} />
    </header>
  );
}

function Tools({ route }: { readonly route: Route }) {
  const leave = use(SignOutContext);
  return (
    <div className="tools">
      <Link
        href="/usage"
        className="icon-button"
        aria-label="Usage"
        aria-current={route.view === 'usage' ? 'page' : undefined}
      >
        <Icon name="chart" />
      </Link>
      <ThemeSwitch />
      <button type="button" className="icon-button" aria-label="Sign out" onClick={leave}>
        <Icon name="leave" />
      </button>
    </div>
  );
}

function Search({ current }: { readonly current: string | null }) {
  const jobs = useJobs();
  const [wanted, setWanted] = useState('');
  const found = useMemo(() => jobs.all.filter((job) => matches(job, wanted)), [jobs.all, wanted]);
  return (
    <nav className="jobs" aria-label="Jobs">
      <div className="search">
        <Icon name="search" />
        <input
          type="search"
          placeholder="Search jobs"
          aria-label="Search jobs by words, engagement or status"
          value={wanted}
          onChange={(event) => setWanted(event.target.value)}
        />
      </div>
      <JobList jobs={found} current={current} searching={wanted !== ''} />
    </nav>
  );
}
