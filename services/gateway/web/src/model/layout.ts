/** Where agents stand: one layer below the other by who waits for whom, each layer wrapped into rows as wide as there is room. */

export interface Standing {
  readonly id: string;
  readonly x: number;
  readonly y: number;
  /** Where its layer begins and ends. */
  readonly head: number;
  readonly foot: number;
}

export interface Edge {
  readonly from: string;
  readonly to: string;
}

export interface Layout {
  readonly places: ReadonlyMap<string, Standing>;
  readonly edges: readonly Edge[];
  readonly width: number;
  readonly height: number;
}

export interface Linked {
  readonly id: string;
  /** Agents that it was made by or waits for. */
  readonly after: readonly string[];
}

export interface Sizes {
  readonly width: number;
  readonly height: number;
  readonly gap: number;
  /** Between layers. */
  readonly drop: number;
}

/** Longest way from an agent that waits for nobody. A circle, which no plan may hold, counts once. */
function depths(agents: readonly Linked[]): ReadonlyMap<string, number> {
  const known = new Map(agents.map((agent) => [agent.id, agent]));
  const found = new Map<string, number>();
  const depth = (id: string): number => {
    const there = found.get(id);
    if (there !== undefined) return there;
    found.set(id, 0);
    const before = (known.get(id)?.after ?? []).filter((one) => known.has(one)).map(depth);
    const own = before.length === 0 ? 0 : Math.max(...before) + 1;
    found.set(id, own);
    return own;
  };
  for (const { id } of agents) depth(id);
  return found;
}

/** Who waits for whom, without what goes without saying: who waits for another's taker waits for the other too. */
function edgesOf(agents: readonly Linked[]): readonly Edge[] {
  const known = new Map(agents.map((agent) => [agent.id, agent]));
  const found = new Map<string, ReadonlySet<string>>();
  const before = (id: string): ReadonlySet<string> => {
    const there = found.get(id);
    if (there !== undefined) return there;
    found.set(id, new Set());
    const all = new Set((known.get(id)?.after ?? []).flatMap((one) => [one, ...before(one)]));
    found.set(id, all);
    return all;
  };
  return agents.flatMap(({ id: to, after }) =>
    after.flatMap((from) => (after.some((other) => before(other).has(from)) ? [] : [{ from, to }])),
  );
}

/** Rows of a layer in columns, centred as a whole. */
function placeLayer(ids: readonly string[], top: number, room: number, sizes: Sizes): Standing[] {
  const { width, height, gap } = sizes;
  const most = Math.max(1, Math.floor((room + gap) / (width + gap)));
  const rows = Math.ceil(ids.length / most);
  const perRow = Math.ceil(ids.length / rows);
  const foot = top + rows * (height + gap) - gap;
  const left = Math.max(0, (room - perRow * (width + gap) + gap) / 2);
  return ids.map((id, at) => {
    const row = Math.floor(at / perRow);
    return { id, x: left + (at % perRow) * (width + gap), y: top + row * (height + gap), head: top, foot };
  });
}

export function layOut(agents: readonly Linked[], room: number, sizes: Sizes): Layout {
  const depth = depths(agents);
  const layers: string[][] = [];
  for (const { id } of agents) (layers[depth.get(id) ?? 0] ??= []).push(id);
  const places = new Map<string, Standing>();
  let top = 0;
  for (const layer of layers) {
    const placed = placeLayer(layer ?? [], top, room, sizes);
    for (const place of placed) places.set(place.id, place);
    top = Math.max(top, ...placed.map(({ y }) => y + sizes.height)) + sizes.drop;
  }
  const edges = edgesOf(agents.map(({ id, after }) => ({ id, after: after.filter((one) => places.has(one)) })));
  return { places, edges, width: Math.max(room, sizes.width), height: Math.max(0, top - sizes.drop) };
}

/** Whether something from `top` to `bottom` shows in a window, with a margin that hides the seam while scrolling. */
export const showsIn = (window: { top: number; height: number }, top: number, bottom: number, margin = 240): boolean =>
  bottom >= window.top - margin && top <= window.top + window.height + margin;
