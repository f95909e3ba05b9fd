import { useEffect, useMemo, useState, useSyncExternalStore } from 'react';
import { Problem } from '../api/client.ts';
import { follow, type Line } from '../api/follow.ts';
import { JobLog } from '../model/job-log.ts';
import { useApi } from '../parts/contexts.ts';

export interface Followed {
  readonly log: JobLog;
  /** Rises when something came. */
  readonly version: number;
  readonly line: Line;
  readonly problem: Problem | null;
}

/** Follows a job for as long as it is shown. */
export function useJob(id: string): Followed {
  const api = useApi();
  const log = useMemo(() => new JobLog(id), [id]);
  const [line, setLine] = useState<Line>('connecting');
  const [problem, setProblem] = useState<Problem | null>(null);
  const version = useSyncExternalStore(log.subscribe, log.version);
  useEffect(() => {
    const abort = new AbortController();
    follow({ api, log, signal: abort.signal, onLine: setLine }).catch((cause: unknown) => {
      if (!abort.signal.aborted)
        setProblem(cause instanceof Problem ? cause : new Problem(0, 'unknown', String(cause)));
    });
    return () => abort.abort();
  }, [api, log]);
  return { log, version, line, problem };
}
