/** The tenant's jobs as far as they were read: newest first, the newest page read again every few seconds. */
import { createContext, use, useCallback, useEffect, useMemo, useRef, useState, type ReactNode } from 'react';
import { listJobs, type Page, type Summary } from '../api/jobs.ts';
import { told } from '../api/client.ts';
import { useApi } from '../parts/contexts.ts';

export interface Jobs {
  readonly all: readonly Summary[];
  /** Whether older ones can be read. */
  readonly more: boolean;
  readonly loading: boolean;
  readonly trouble: string;
  readonly readMore: () => void;
  readonly refresh: () => void;
}

const Context = createContext<Jobs | null>(null);

export function useJobs(): Jobs {
  const jobs = use(Context);
  if (jobs === null) throw new Error('no jobs are read here');
  return jobs;
}

const pace = 4_000;

/** Newer rows over older ones, newest job first. */
function merged(known: ReadonlyMap<string, Summary>, { items }: Page): ReadonlyMap<string, Summary> {
  const all = new Map(known);
  for (const item of items) all.set(item.id, item);
  return all;
}

const newestFirst = (a: Summary, b: Summary): number =>
  a.created_at === b.created_at ? (a.id < b.id ? 1 : -1) : a.created_at < b.created_at ? 1 : -1;

export function JobsProvider({ children }: { readonly children: ReactNode }) {
  const read = useReader();
  useEffect(() => {
    read.refresh();
    const timer = setInterval(() => document.hidden || read.refresh(), pace);
    return () => clearInterval(timer);
  }, [read.refresh]);
  return <Context value={read}>{children}</Context>;
}

function useReader(): Jobs {
  const api = useApi();
  const [known, setKnown] = useState<ReadonlyMap<string, Summary>>(new Map());
  const [cursor, setCursor] = useState<string | null>(null);
  const [loading, setLoading] = useState(true);
  const [trouble, setTrouble] = useState('');
  const begun = useRef(false);
  const take = useCallback(
    async (from: string | null): Promise<void> => {
      const page = await listJobs(api, from);
      setKnown((before) => merged(before, page));
      if (from !== null || !begun.current) setCursor(page.next_cursor);
      begun.current = true;
      setTrouble('');
    },
    [api],
  );
  const refresh = useCallback(() => {
    take(null)
      .catch((cause: unknown) => setTrouble(told(cause)))
      .finally(() => setLoading(false));
  }, [take]);
  const readMore = useCallback(() => {
    if (cursor === null || loading) return;
    setLoading(true);
    take(cursor)
      .catch((cause: unknown) => setTrouble(told(cause)))
      .finally(() => setLoading(false));
  }, [take, cursor, loading]);
  const all = useMemo(() => [...known.values()].toSorted(newestFirst), [known]);
  return { all, more: cursor !== null, loading, trouble, readMore, refresh };
}
