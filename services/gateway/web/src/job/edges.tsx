import { memo } from 'react';
import type { AgentView } from '../../../../../packages/job/src/pure.ts';
import { showsIn, type Layout, type Sizes, type Standing } from '../model/layout.ts';

interface Props {
  readonly layout: Layout;
  readonly sizes: Sizes;
  readonly seen: { readonly top: number; readonly height: number };
  readonly chosen: string | null;
  readonly agents: readonly AgentView[];
}

/** A thread from the foot of one card to the head of another. */
function thread(from: Standing, to: Standing, { width, height }: Sizes): string {
  const [x1, y1, x2, y2] = [from.x + width / 2, from.y + height, to.x + width / 2, to.y];
  const bend = Math.max(24, Math.min(90, (y2 - y1) / 2));
  return `M${x1} ${y1}C${x1} ${y1 + bend} ${x2} ${y2 - bend} ${x2} ${y2}`;
}

const over = new Set(['done', 'failed', 'killed', 'skipped']);

/** Threads between agents, behind the cards. In a crowd only those of the chosen agent are drawn one by one. */
export function Edges({ layout, sizes, seen, chosen, agents }: Props) {
  const crowded = layout.edges.length > 120;
  const status = new Map(agents.map((agent) => [agent.id, agent.status]));
  const drawn = layout.edges.flatMap(({ from, to }) => {
    const [a, b] = [layout.places.get(from), layout.places.get(to)];
    const own = from === chosen || to === chosen;
    if (!a || !b || (crowded && !own && !isShort(a, b, sizes)) || !showsIn(seen, a.y, b.y)) return [];
    return [{ key: `${from} ${to}`, path: thread(a, b, sizes), mode: modeOf(status.get(from), status.get(to)), own }];
  });
  return (
    <svg className="edges" width={layout.width} height={layout.height} aria-hidden="true" focusable="false">
      {drawn.map(({ key, path, mode, own }) => (
        <Thread key={key} path={path} mode={mode} own={own} />
      ))}
    </svg>
  );
}

const isShort = (a: Standing, b: Standing, { height, drop }: Sizes): boolean => b.y - a.y <= height + drop;

/** Asleep until its giver is done, moving while its taker works, at rest behind that. */
function modeOf(giver = '', taker = ''): string {
  if (over.has(taker)) return 'spun';
  if (taker === 'thinking' || taker === 'acting' || taker === 'retrying') return 'moving';
  return giver === 'done' ? 'spun' : 'asleep';
}

const Thread = memo(function Thread({ path, mode, own }: { path: string; mode: string; own: boolean }) {
  return <path d={path} data-mode={mode} data-own={own || undefined} />;
});
