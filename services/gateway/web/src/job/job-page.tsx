import { memo, useDeferredValue, useEffect, useMemo, useRef, useState, type ReactNode } from 'react';
import type { Line } from '../api/follow.ts';
import { view as viewOf } from '../../../../../packages/job/src/pure.ts';
import { worded } from '../model/figures.ts';
import { useJobs } from '../list/jobs-store.tsx';
import { useAnnounce } from '../parts/announcer.tsx';
import { Link } from '../route.tsx';
import { AimContext, ChoiceContext, JobContext, type ShownJob } from './job-context.ts';
import { JobHead } from './job-head.tsx';
import { Pending } from './pending.tsx';
import { Tabs } from './tabs.tsx';
import { TimeBar } from './time-bar.tsx';
import { Inspector } from './inspector.tsx';
import { useJob, type Followed } from './use-job.ts';
import { usePainted } from './use-painted.ts';

/** One job: what it is, what it asks, its swarm, one agent's transcript, and its time. */
export function JobPage({ id }: { readonly id: string }) {
  const followed = useJob(id);
  const [aim, travel] = useState<number | null>(null);
  const shown = useShownJob(followed, aim, travel);
  useAnnounced(shown);
  if (followed.problem !== null && followed.log.facts.length === 0) return <Gone followed={followed} />;
  if (shown.job.submitted === null) return <p className="pad quiet">Reading the job …</p>;
  return (
    <JobContext value={shown}>
      <AimContext value={aim}>
        <Choosing>
          <Parts line={followed.line} past={shown.position !== null} />
        </Choosing>
      </AimContext>
    </JobContext>
  );
}

function Choosing({ children }: { readonly children: ReactNode }) {
  const [agent, choose] = useState<string | null>(null);
  const choice = useMemo(() => ({ agent, choose }), [agent]);
  return <ChoiceContext value={choice}>{children}</ChoiceContext>;
}

/** Drawn again by what the context says alone, not by every fact that comes. */
const Parts = memo(function Parts({ line, past }: { readonly line: Line; readonly past: boolean }) {
  return (
    <div className="job" data-past={past || undefined}>
      <div className="job-main">
        <JobHead line={line} />
        <Pending />
        <Tabs />
      </div>
      <Inspector />
      <TimeBar />
    </div>
  );
});

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

/** What is drawn gives way to presses: it follows facts and the slider as fast as it can be drawn, and no faster. */
function useShownJob({ log, version: newest }: Followed, aim: number | null, travel: ShownJob['travel']): ShownJob {
  const at = usePainted(aim);
  const version = useDeferredValue(newest);
  return useMemo(() => {
    const job = at === null ? log.head : log.at(at);
    const view = viewOf(job);
    return { log, version, job, view, position: at, travel };
  }, [log, version, at, travel]);
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
