/** Threads between agents, bundled: those that leave one column of a layer for one column of another run as one, behind the cards. */
import type { Edge, Layout, Sizes, Standing } from './layout.ts';

export interface Thread {
  readonly key: string;
  readonly path: string;
  readonly top: number;
  readonly bottom: number;
  readonly mode: string;
  /** Of the chosen agent. */
  readonly own: boolean;
}

interface Bundle {
  readonly key: string;
  readonly from: Standing;
  readonly to: Standing;
  readonly mode: string;
  readonly own: boolean;
}

const over = new Set(['done', 'failed', 'killed', 'skipped']);
const order = ['asleep', 'spun', 'moving'];

/** Asleep until its giver is done, moving while its taker works, at rest behind that. */
function modeOf(giver = '', taker = ''): string {
  if (over.has(taker)) return 'spun';
  if (taker === 'thinking' || taker === 'acting' || taker === 'retrying') return 'moving';
  return giver === 'done' ? 'spun' : 'asleep';
}

const higher = (a: Standing, b: Standing): Standing => (a.y <= b.y ? a : b);
const lower = (a: Standing, b: Standing): Standing => (a.y >= b.y ? a : b);

/** From the highest giver to the lowest taker, as awake as the most awake of them. */
function joined(one: Bundle | undefined, other: Bundle): Bundle {
  if (one === undefined) return other;
  const mode = order[Math.max(order.indexOf(one.mode), order.indexOf(other.mode))] ?? one.mode;
  return { ...one, from: higher(one.from, other.from), to: lower(one.to, other.to), mode };
}

/** Down its column to the end of its layer, over to the other's column, and down that. */
function pathOf({ from, to }: Bundle, { width, height }: Sizes): string {
  const [x1, x2] = [from.x + width / 2, to.x + width / 2];
  const bend = Math.max(20, (to.head - from.foot) / 2);
  return `M${x1} ${from.y + height}V${from.foot}C${x1} ${from.foot + bend} ${x2} ${to.head - bend} ${x2} ${to.head}V${to.y}`;
}

export function threadsOf(
  { edges, places }: Layout,
  sizes: Sizes,
  status: ReadonlyMap<string, string>,
  chosen: string | null,
): readonly Thread[] {
  const bundles = new Map<string, Bundle>();
  for (const { from, to } of edges) {
    const bundle = bundleOf({ from, to }, places, status, chosen);
    if (bundle !== null) bundles.set(bundle.key, joined(bundles.get(bundle.key), bundle));
  }
  return [...bundles.values()]
    .toSorted((a, b) => Number(a.own) - Number(b.own))
    .map((bundle) => ({
      key: bundle.key,
      path: pathOf(bundle, sizes),
      top: bundle.from.y,
      bottom: bundle.to.y,
      mode: bundle.mode,
      own: bundle.own,
    }));
}

function bundleOf(
  { from, to }: Edge,
  places: ReadonlyMap<string, Standing>,
  status: ReadonlyMap<string, string>,
  chosen: string | null,
): Bundle | null {
  const [a, b] = [places.get(from), places.get(to)];
  if (a === undefined || b === undefined) return null;
  const own = from === chosen || to === chosen;
  return {
    key: `${a.x} ${a.foot} ${b.x} ${b.head} ${own}`,
    from: a,
    to: b,
    mode: modeOf(status.get(from), status.get(to)),
    own,
  };
}
