import { useMemo, useState, type KeyboardEvent } from 'react';
import { layOut, showsIn, type Layout, type Sizes } from '../model/layout.ts';
import { AgentCard } from './agent-card.tsx';
import { Edges } from './edges.tsx';
import { useChoice, useShown } from './job-context.ts';
import { useInPieces } from './use-in-pieces.ts';
import { useScrolled } from './use-scrolled.ts';

const roomy: Sizes = { width: 208, height: 84, gap: 18, drop: 54 };
const dense: Sizes = { width: 156, height: 62, gap: 10, drop: 48 };
const narrow: Sizes = { width: 164, height: 84, gap: 12, drop: 40 };
/** From so many agents on the cards are small. */
const crowd = 40;
const margin = 20;

function sizesFor(small: boolean, width: number): Sizes {
  if (small) return dense;
  return width > 0 && width < 480 ? narrow : roomy;
}

/** The swarm: who waits for whom, and what each does now. Only what is in sight is drawn. */
export function Graph() {
  const { view, job } = useShown();
  const { agent: chosen } = useChoice();
  const [field, setField] = useState<HTMLDivElement | null>(null);
  const seen = useScrolled(field);
  const small = view.agents.length > crowd;
  const sizes = sizesFor(small, seen.width);
  const room = Math.max(sizes.width, seen.width - 2 * margin);
  const shape = view.agents.length;
  // The shape changes when an agent is made, not when one moves on.
  const layout = useMemo(
    () =>
      layOut(
        [...job.agents.values()].map(({ id, spawned }) => ({ id, after: afterOf(spawned) })),
        room,
        sizes,
      ),
    [job, shape, room, sizes],
  );
  const keys = useKeys(layout);
  if (shape === 0) return <p className="quiet pad">The planner has not begun yet.</p>;
  return (
    <div
      ref={setField}
      className="graph"
      data-dense={small || undefined}
      role="listbox"
      aria-label={`Agents, ${shape}`}
      aria-activedescendant={chosen === null ? undefined : `agent-${chosen}`}
      tabIndex={0}
      onKeyDown={keys}
    >
      <div className="graph-field" role="presentation" style={{ width: layout.width, height: layout.height }}>
        <Edges layout={layout} sizes={sizes} seen={seen} chosen={chosen} agents={view.agents} />
        <Cards {...{ layout, sizes, seen }} />
      </div>
    </div>
  );
}

const afterOf = ({ needs, parent }: { readonly needs: readonly string[]; readonly parent: string | null }) =>
  needs.length > 0 ? needs : parent === null ? [] : [parent];

interface CardsProps {
  readonly layout: Layout;
  readonly sizes: Sizes;
  readonly seen: { readonly top: number; readonly height: number };
}

/** By so many cards a graph grows in one frame: to lay out more of them takes longer than a press may wait. */
const piece = 12;

function Cards({ layout, sizes, seen }: CardsProps) {
  const { view } = useShown();
  const { agent: chosen, choose } = useChoice();
  const inSight = view.agents.flatMap((agent, at) => {
    const place = layout.places.get(agent.id);
    if (place === undefined) return [];
    return agent.id === chosen || showsIn(seen, place.y, place.y + sizes.height) ? [{ agent, place, at }] : [];
  });
  const drawn = useInPieces(inSight.length, piece);
  return inSight.slice(0, drawn).map(({ agent, place, at }) => {
    const { id, role, status, tool, tokens, spent_micros: micros } = agent;
    const looks = { id, role, status, tool, tokens, micros, x: place.x, y: place.y };
    return (
      <AgentCard
        key={id}
        {...looks}
        width={sizes.width}
        height={sizes.height}
        chosen={id === chosen}
        choose={choose}
        at={at + 1}
        of={view.agents.length}
      />
    );
  });
}

const steps: Readonly<Record<string, number>> = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 };

/** Arrow keys go from agent to agent, Home and End to the first and last; the chosen one is brought into sight. */
function useKeys(layout: Layout): (event: KeyboardEvent<HTMLElement>) => void {
  const { view } = useShown();
  const { agent, choose } = useChoice();
  return (event) => {
    const at = view.agents.findIndex(({ id }) => id === agent);
    const last = view.agents.length - 1;
    const step = steps[event.key];
    const next = { Home: 0, End: last }[event.key] ?? (step === undefined ? null : at + step);
    if (next === null) return;
    event.preventDefault();
    const wanted = view.agents[Math.min(last, Math.max(0, next))];
    if (wanted === undefined) return;
    choose(wanted.id);
    const place = layout.places.get(wanted.id);
    const field = event.currentTarget;
    if (place && (place.y < field.scrollTop || place.y > field.scrollTop + field.clientHeight - 120))
      field.scrollTop = place.y - field.clientHeight / 3;
  };
}
