import { memo } from 'react';
import type { AgentView } from '../../../../../packages/job/src/pure.ts';
import { showsIn, type Layout, type Sizes } from '../model/layout.ts';
import { threadsOf } from '../model/threads.ts';

interface Props {
  readonly layout: Layout;
  readonly sizes: Sizes;
  readonly seen: { readonly top: number; readonly height: number };
  readonly chosen: string | null;
  readonly agents: readonly AgentView[];
}

/** The threads between agents that are in sight. */
export function Edges({ layout, sizes, seen, chosen, agents }: Props) {
  const status = new Map(agents.map((agent) => [agent.id, agent.status]));
  const threads = threadsOf(layout, sizes, status, chosen).filter(({ top, bottom }) => showsIn(seen, top, bottom));
  return (
    <svg className="edges" width={layout.width} height={layout.height} aria-hidden="true" focusable="false">
      {threads.map(({ key, path, mode, own }) => (
        <Thread key={key} path={path} mode={mode} own={own} />
      ))}
    </svg>
  );
}

const Thread = memo(function Thread({ path, mode, own }: { path: string; mode: string; own: boolean }) {
  return <path d={path} data-mode={mode} data-own={own || undefined} />;
});
