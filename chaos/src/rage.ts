/** The faults of a storm: a deck of them, shuffled by the seed, dealt one after the other while those before still go on, though no more than a few. */
import { setTimeout as sleep } from 'node:timers/promises';
import { serviceOf } from './faults.ts';
import { boundaries, points } from './points.ts';
import { ackWait, type Rig } from './rig.ts';

/** How many of each kind. `pair`: two services killed at once; `pause`: a zombie, away for the ack wait and ten seconds more. */
export interface Deck {
  readonly kill: number;
  readonly pair: number;
  readonly crash: number;
  readonly pause: number;
  readonly deploy: number;
  readonly nats: number;
  readonly postgres: number;
}

export const smallDeck: Deck = { kill: 4, pair: 10, crash: 8, pause: 5, deploy: 3, nats: 2, postgres: 2 };

/** in full: 300 pairs, 210 pauses. */
export const fullRounds = 30;
export const fullDeck: Deck = { ...smallDeck, pause: 7, nats: 1, postgres: 1 };

type Fault = (rig: Rig) => Promise<unknown>;

const workers = ['orchestrator', 'agent-runner', 'sandbox'];
const isWorker = (name: string): boolean => workers.includes(serviceOf(name));

/** A replica to which nothing is being done, if there is one; workers more often than others. */
function anyOf({ random, faults }: Rig, suits: (name: string) => boolean = () => true): string {
  const replicas = faults.replicas.filter(suits);
  const some = random.chance(0.6) ? replicas.filter(isWorker) : replicas;
  return random.pick(faults.free(some.length > 0 ? some : replicas));
}

const faultOf: Readonly<Record<keyof Deck, Fault>> = {
  kill: (rig) => rig.faults.kill(anyOf(rig)),
  pair: (rig) => {
    const one = anyOf(rig);
    const other = anyOf(rig, (name) => serviceOf(name) !== serviceOf(one));
    return Promise.all([rig.faults.kill(one), rig.faults.kill(other)]);
  },
  crash: (rig) => {
    const name = anyOf(rig);
    const point = points[serviceOf(name)]?.[rig.random.pick(boundaries)] ?? '';
    return rig.faults.crash(name, [`${point}:${1 + rig.random.below(3)}`], 6);
  },
  pause: (rig) => rig.faults.pause(anyOf(rig, isWorker), ackWait + 10_000),
  deploy: (rig) => rig.faults.deploy(anyOf(rig)),
  nats: ({ faults }) => faults.killStore('nats-server'),
  postgres: ({ faults }) => faults.killStore('postgres'),
};

function shuffled({ random }: Rig, deck: Deck): (keyof Deck)[] {
  const cards = (Object.keys(deck) as (keyof Deck)[]).flatMap((kind) => Array.from({ length: deck[kind] }, () => kind));
  const order = cards.map((card) => ({ card, at: random.next() }));
  return order.toSorted((a, b) => a.at - b.at).map(({ card }) => card);
}

export interface Dealing {
  readonly tell: (line: string) => void;
  /** Done when half of the deck has been dealt, beside what is going on. */
  readonly half?: () => Promise<unknown>;
  /** Deals no more when it aborts. */
  readonly signal?: AbortSignal;
}

/** Under way at once: were more dealt than can be over meanwhile, faults would wait for every process, and in a long storm no gateway would ever be there. */
const atOnce = 8;

/** Deals the deck once; resolves when its last fault is over. */
export async function rage(rig: Rig, deck: Deck, { tell, half, signal }: Dealing): Promise<void> {
  const cards = shuffled(rig, deck);
  const going = new Set<Promise<unknown>>();
  let beside: Promise<unknown> | undefined;
  for (const [at, kind] of cards.entries()) {
    while (going.size >= atOnce) await Promise.race(going);
    if (signal?.aborted) break;
    if (at === Math.floor(cards.length / 2)) beside = half?.();
    tell(kind);
    const fault = faultOf[kind](rig).catch((cause: unknown) => tell(`${kind}: ${String(cause)}`));
    going.add(fault);
    void fault.then(() => going.delete(fault));
    await sleep(250 + rig.random.below(500));
  }
  await Promise.all([...going, beside]);
}
