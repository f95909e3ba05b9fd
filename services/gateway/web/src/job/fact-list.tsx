import { useVirtualizer } from '@tanstack/react-virtual';
import { useRef } from 'react';
import type { Fact } from '@loom/log';
import { clockTime } from '../model/figures.ts';
import { useShown } from './job-context.ts';

const rowHeight = 34;

/** Every fact of the job; each is a point to travel to. */
export function FactList() {
  const { log, job, position, travel } = useShown();
  const scroller = useRef<HTMLDivElement>(null);
  const rows = useVirtualizer({
    count: log.facts.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => rowHeight,
    overscan: 12,
  });
  return (
    <div className="facts-list" ref={scroller} tabIndex={0} role="region" aria-label="Facts">
      <ol style={{ height: rows.getTotalSize() }}>
        {rows.getVirtualItems().map(({ index, start }) => (
          <li
            key={index}
            style={{ transform: `translateY(${start}px)` }}
            aria-setsize={log.facts.length}
            aria-posinset={index + 1}
          >
            <Row
              fact={log.facts[index]}
              here={position !== null && index + 1 === job.facts}
              later={index >= job.facts}
              go={() => travel(index + 1)}
            />
          </li>
        ))}
      </ol>
    </div>
  );
}

interface RowProps {
  readonly fact: Fact | undefined;
  readonly here: boolean;
  readonly later: boolean;
  readonly go: () => void;
}

function Row({ fact, here, later, go }: RowProps) {
  if (fact === undefined) return null;
  const what = fact.type === 'decision.made' ? `${fact.items.length} items` : fact.decision === null ? '' : 'dispatch';
  return (
    <button
      type="button"
      className="fact"
      aria-current={here || undefined}
      data-later={later || undefined}
      onClick={go}
    >
      <span className="mono quiet">{fact.seq}</span>
      <span className="mono quiet time">{clockTime(fact.time)}</span>
      <span className="type">{fact.type}</span>
      <span className="mono key">{fact.key}</span>
      <span className="quiet what">{what}</span>
      <span className="quiet source">{fact.source}</span>
    </button>
  );
}
