/**
 * The plain alternative: a bare JetStream client that does what the loop needs and no more. A step is two publishes
 * that are waited for and two acks. Subjects: `raw.<stream>.<req|set>.<loop>.<n>`.
 */
import { AckPolicy, jetstream, jetstreamManager, type JetStreamClient, type JsMsg } from '@nats-io/jetstream';
import { connect, type NatsConnection } from '@nats-io/transport-node';
import type { Meter } from './meter.ts';
import type { Side } from './loom.ts';
import type { Half, Shape, Work } from './protocol.ts';

/** About what a small fact carries. */
const body = new Uint8Array(256).fill(120);

const login = (url: string): Promise<NatsConnection> =>
  connect({ servers: url.split(','), user: 'bench', pass: 'bench' });

/** Streams and durables like those of the event log: file storage, explicit acks. */
export async function setUpRaw(url: string, streams: number, replicas: number): Promise<void> {
  const connection = await login(url);
  const manager = await jetstreamManager(connection);
  for (let k = 0; k < streams; k++) {
    await manager.streams.add({
      name: `RAW_${k}`,
      subjects: [`raw.${k}.>`],
      num_replicas: replicas,
      allow_direct: true,
    });
    for (const what of ['req', 'set'])
      await manager.consumers.add(`RAW_${k}`, {
        durable_name: what,
        filter_subject: `raw.${k}.${what}.>`,
        ack_policy: AckPolicy.Explicit,
        max_ack_pending: 10_000,
      });
  }
  await connection.close();
}

interface Player {
  readonly js: JetStreamClient;
  readonly meter: Meter;
  readonly shape: Shape;
  readonly ended: () => void;
}

interface Place {
  readonly k: string;
  readonly loop: string;
  readonly n: number;
}

function placeOf({ subject }: JsMsg): Place {
  const [, k = '', , loop = '', n = ''] = subject.split('.');
  return { k, loop, n: Number(n) };
}

type Turn = (player: Player, place: Place) => Promise<unknown>;

const say = ({ js }: Player, { k, loop }: Place, what: 'req' | 'set', n: number): Promise<unknown> =>
  js.publish(`raw.${k}.${what}.${loop}.${n}`, body);

const pingpong: Readonly<Record<'req' | 'set', Turn>> = {
  async req(player, place) {
    const { shape, meter, ended } = player;
    meter.received(place.loop);
    if (shape.kind === 'pingpong' && place.n >= shape.steps) return ended();
    meter.settling(place.loop);
    await say(player, place, 'set', place.n);
  },
  set: (player, place) => say(player, place, 'req', place.n + 1),
};

/** Loop by loop: request 0 is the planner's, 1…width the workers', the one after them waits for all. */
function fanout(width: number): Readonly<Record<'req' | 'set', Turn>> {
  const answered = new Map<string, number>();
  return {
    async req(player, place) {
      if (place.n > width) {
        player.meter.received(place.loop);
        return player.ended();
      }
      if (place.n === 0) player.meter.settling(place.loop);
      await say(player, place, 'set', place.n);
    },
    async set(player, place) {
      if (place.n === 0) {
        await say(player, place, 'set', width + 1);
        return Promise.all(Array.from({ length: width }, (_, i) => say(player, place, 'req', i + 1)));
      }
      if (place.n > width) return;
      const count = (answered.get(place.loop) ?? 0) + 1;
      answered.set(place.loop, count);
      if (count === width) await say(player, place, 'req', width + 1);
    },
  };
}

export async function rawSide(work: Work, meter: Meter, ended: () => void): Promise<Side> {
  const connection = await login(work.url);
  const player = { js: jetstream(connection), meter, shape: work.shape, ended };
  const turns = work.shape.kind === 'pingpong' ? pingpong : fanout(work.shape.width);
  const taken = await Promise.all(
    halves(work.half).flatMap((what) =>
      Array.from({ length: work.streams }, (_, k) => take(player, k, what, turns[what])),
    ),
  );
  const begin = (loops: readonly string[]): void => {
    for (const [i, loop] of loops.entries())
      void say(player, { k: String(i % work.streams), loop, n: 0 }, 'req', 0).catch(() => undefined);
  };
  const stop = async (): Promise<void> => {
    for (const one of taken) one.stop();
    await connection.close();
  };
  return { begin, stop };
}

const halves = (half: Half): readonly ('req' | 'set')[] =>
  half === 'both' ? ['req', 'set'] : half === 'runner' ? ['req'] : ['set'];

async function take(player: Player, k: number, what: 'req' | 'set', turn: Turn): Promise<{ stop(): void }> {
  const consumer = await player.js.consumers.get(`RAW_${k}`, what);
  const callback = (message: JsMsg): void =>
    void turn(player, placeOf(message)).then(
      () => message.ack(),
      () => message.nak(),
    );
  return consumer.consume({ max_messages: 200, callback });
}
