import { useVirtualizer } from '@tanstack/react-virtual';
import { memo, useEffect, useRef, useState, type RefObject } from 'react';
import type { Entry } from '../model/transcript.ts';
import { EntryView } from './entry.tsx';

/** How near the end counts as being there, px. */
const nearEnd = 80;

interface Props {
  readonly agent: string | null;
  readonly entries: readonly Entry[];
}

/** Entries by windowing; who reads at the end stays at the end while words come. Another agent's words take the place of these row by row, and begin at their end. */
export const Transcript = memo(function Transcript({ agent, entries }: Props) {
  const scroller = useRef<HTMLDivElement>(null);
  const [open, setOpen] = useState<ReadonlySet<string>>(new Set());
  const rows = useVirtualizer({
    count: entries.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => 96,
    overscan: 2,
    useFlushSync: false,
    getItemKey: (at) => entries[at]?.id ?? at,
  });
  const height = rows.getTotalSize();
  const look = useEnd(scroller, agent, height);
  const toggle = (id: string, is: boolean): void =>
    setOpen((before) => new Set(is ? [...before, id] : [...before].filter((one) => one !== id)));
  return (
    <div
      ref={scroller}
      className="transcript"
      role="log"
      aria-label="Transcript"
      aria-live="off"
      tabIndex={0}
      onScroll={(event) => look(event.currentTarget)}
    >
      <div className="entries" style={{ height }}>
        {rows.getVirtualItems().map(({ index, start, key }) => (
          <div key={key} data-index={index} ref={rows.measureElement} style={{ transform: `translateY(${start}px)` }}>
            <Shown entry={entries[index]} open={open} toggle={toggle} />
          </div>
        ))}
      </div>
    </div>
  );
});

/** Keeps who reads at the end there; what it returns looks whether one does. */
function useEnd(scroller: RefObject<HTMLElement | null>, agent: string | null, height: number) {
  const atEnd = useRef(true);
  useEffect(() => void (atEnd.current = true), [agent]);
  useEffect(() => {
    if (atEnd.current && scroller.current) scroller.current.scrollTop = height;
  }, [scroller, agent, height]);
  return ({ scrollTop, scrollHeight, clientHeight }: HTMLElement): void =>
    void (atEnd.current = scrollHeight - scrollTop - clientHeight < nearEnd);
}

interface ShownProps {
  readonly entry: Entry | undefined;
  readonly open: ReadonlySet<string>;
  readonly toggle: (id: string, open: boolean) => void;
}

function Shown({ entry, open, toggle }: ShownProps) {
  if (entry === undefined) return null;
  return <EntryView entry={entry} open={open.has(entry.id)} toggle={(is) => toggle(entry.id, is)} />;
}
