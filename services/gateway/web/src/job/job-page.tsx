import { useDeferredValue, useEffect, useMemo, useRef, useState } from 'react';
import { view as viewOf } from '../../../../../packages/job/src/pure.ts';
import { worded } from '../model/figures.ts';
import { useJobs } from '../list/jobs-store.tsx';
import { useAnnounce } from '../parts/announcer.tsx';
import { Link } from '../route.tsx';
import { JobContext, type ShownJob } from './job-context.ts';
import { JobHead } from './job-head.tsx';
import { Pending } from './pending.tsx';
import { Tabs } from './tabs.tsx';
import { TimeBar } from './time-bar.tsx';
import { Inspector } from './inspector.tsx';
import { useJob, type Followed } from './use-job.ts';

/** One job: what it is, what it asks, its swarm, one agent's transcript, and its time. */
export function JobPage({ id }: { readonly id: string }) {
  const followed = useJob(id);
  const shown = useShownJob(followed);
  useAnnounced(shown);
  if (followed.problem !== null && followed.log.facts.length === 0) return <Gone followed={followed} />;
  if (shown.job.submitted === null) return <p className="pad quiet">Reading the job …</p>;
  return (
    <JobContext value={shown}>
      <div className="job" data-past={shown.position !== null || undefined}>
        <div className="job-main">
          <JobHead line={followed.line} />
          <Pending />
          <Tabs />
        </div>
        <Inspector />
        <TimeBar />
      </div>
    </JobContext>
  );
}

function Gone({ followed }: { readonly followed: Followed }) {
  const missing = followed.problem?.status === 404;
  return (
    <div className="pad">
      <h1>{missing ? 'There is no such job' : 'This job cannot be shown'}</h1>
      <p className="quiet">{missing ? 'It may belong to somebody else.' : followed.problem?.message}</p>
      <Link href="/">Write a brief</Link>
    </div>
  );
}

function useShownJob({ log, version }: Followed): ShownJob {
  const [position, travel] = useState<number | null>(null);
  const [chosen, choose] = useState<string | null>(null);
  const at = useDeferredValue(position);
  return useMemo(() => {
    const job = at === null ? log.head : log.at(at);
    const view = viewOf(job);
    const agent = chosen !== null && job.agents.has(chosen) ? chosen : (view.agents[0]?.id ?? null);
    return { log, version, job, view, position: at, travel, agent, choose };
  }, [log, version, at, chosen]);
}

/** Tells who hears the page, and the list of jobs, when the job moves on or asks. */
function useAnnounced({ view, position }: ShownJob): void {
  const announce = useAnnounce();
  const { refresh } = useJobs();
  const said = useRef('');
  const [question] = view.pending;
  const text = question ? `Question from ${question.agent}: ${question.question}` : `The job ${worded(view.status)}.`;
  useEffect(() => {
    if (position !== null || said.current === text) return;
    said.current = text;
    announce(text);
    refresh();
  }, [announce, refresh, text, position]);
}
