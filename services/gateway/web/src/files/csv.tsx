import { useVirtualizer } from '@tanstack/react-virtual';
import { parse } from 'papaparse';
import { useMemo, useRef } from 'react';
import { counted } from '../model/figures.ts';

const rowHeight = 30;

/** A table of a file, by windowing: its first line heads the columns. */
export function Csv({ text }: { readonly text: string }) {
  const [head = [], ...rows] = useMemo(() => parse<string[]>(text, { skipEmptyLines: true }).data, [text]);
  const scroller = useRef<HTMLDivElement>(null);
  const shown = useVirtualizer({
    count: rows.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => rowHeight,
    overscan: 16,
  });
  const items = shown.getVirtualItems();
  const above = items[0]?.start ?? 0;
  const below = shown.getTotalSize() - (items.at(-1)?.end ?? 0);
  return (
    <>
      <p className="quiet">
        {counted(rows.length, 'row')}, {counted(head.length, 'column')}
      </p>
      <div className="csv" ref={scroller} tabIndex={0} role="region" aria-label="Table">
        <table aria-rowcount={rows.length + 1}>
          <Head names={head} />
          <tbody>
            <Space height={above} columns={head.length} />
            {items.map(({ index }) => (
              <Row key={index} at={index + 2} cells={rows[index] ?? []} />
            ))}
            <Space height={below} columns={head.length} />
          </tbody>
        </table>
      </div>
    </>
  );
}

/* Cells have no names of their own: a column is its place. */
/* oxlint-disable react/no-array-index-key */
function Head({ names }: { readonly names: readonly string[] }) {
  return (
    <thead>
      <tr>
        {names.map((name, at) => (
          <th key={at} scope="col">
            {name}
          </th>
        ))}
      </tr>
    </thead>
  );
}

function Row({ at, cells }: { readonly at: number; readonly cells: readonly string[] }) {
  return (
    <tr aria-rowindex={at} style={{ height: rowHeight }}>
      {cells.map((cell, column) => (
        <td key={column} data-number={/^-?[\d.,]+%?$/.test(cell) || undefined}>
          {cell}
        </td>
      ))}
    </tr>
  );
}

/** Room of the rows that are out of sight. */
function Space({ height, columns }: { readonly height: number; readonly columns: number }) {
  if (height <= 0) return null;
  return (
    <tr aria-hidden="true">
      <td colSpan={columns} style={{ height, padding: 0, border: 0 }} />
    </tr>
  );
}
