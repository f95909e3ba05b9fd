/**
 * A proxy between services and nats-server that hands over what consumers are sent in another order, and some of it twice.
 * Owns the connections through it. Whatever is no delivery of a consumer passes as it came: answers, acks, statuses, pings.
 */
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import type { Random } from './random.ts';

export interface Disorder extends AsyncDisposable {
  /** Part of all deliveries that come late, and as large a part that come twice; 0 at first. Drawn from the numbers given. */
  set(part: number, random: Random): void;
  readonly url: string;
  counts(): Readonly<Counts>;
}

/** At most so many deliveries overtake one, and it waits no longer than this for them; ms. */
const overtaken = 4;
const longest = 40;

interface Counts {
  delivered: number;
  late: number;
  twice: number;
  /** Requests of runs that came once more, from here or from a server that waited in vain for an ack: a run that costs nothing is not claimed, and may then be made twice. */
  runsTwice: number;
}

interface Draw {
  readonly part: number;
  readonly random: Random;
}

export async function disorderBefore(natsUrl: string): Promise<Disorder> {
  const { hostname, port } = new URL(natsUrl);
  const counts: Counts = { delivered: 0, late: 0, twice: 0, runsTwice: 0 };
  const open = new Set<Socket>();
  let draw: Draw | null = null;
  const server = createServer((client) => {
    const upstream = connect(Number(port), hostname);
    const line = new Line(client, () => draw, counts);
    for (const socket of [client, upstream]) {
      open.add(socket.setNoDelay());
      socket.on('error', () => undefined);
      socket.on('close', () => open.delete(socket));
    }
    client.on('data', (sent) => upstream.write(sent));
    client.on('close', () => upstream.destroy());
    upstream.on('data', (sent) => line.take(sent));
    upstream.on('close', () => client.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  return {
    url: `nats://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`,
    set: (part, random) => void (draw = part === 0 ? null : { part, random }),
    counts: () => ({ ...counts }),
    async [Symbol.asyncDispose]() {
      server.close();
      for (const socket of open) socket.destroy();
      await once(server, 'close');
    },
  };
}

/** A delivery that waits until so many others have gone by. */
interface Late {
  readonly frame: Buffer;
  left: number;
}

/** What one client is sent. */
class Line {
  readonly #client: Socket;
  readonly #draw: () => Draw | null;
  readonly #counts: Counts;
  #rest: Buffer = Buffer.alloc(0);
  #late: Late[] = [];

  constructor(client: Socket, draw: () => Draw | null, counts: Counts) {
    this.#client = client;
    this.#draw = draw;
    this.#counts = counts;
  }

  take(sent: Buffer): void {
    this.#rest = this.#rest.length === 0 ? sent : Buffer.concat([this.#rest, sent]);
    this.#client.cork();
    for (let size = frameSize(this.#rest); size > 0; size = frameSize(this.#rest)) {
      const frame = this.#rest.subarray(0, size);
      this.#rest = this.#rest.subarray(size);
      if (isDelivery(frame)) this.#deliver(frame);
      else this.#send(frame);
    }
    this.#client.uncork();
  }

  #deliver(frame: Buffer): void {
    this.#counts.delivered += 1;
    if (isRun(frame) && isAgain(frame)) this.#counts.runsTwice += 1;
    const draw = this.#draw();
    const isLate = draw?.random.chance(draw.part) ?? false;
    if (draw !== null && isLate) this.#hold(frame, 1 + draw.random.below(overtaken));
    else this.#pass(frame);
    if (draw === null || !draw.random.chance(draw.part)) return;
    this.#counts.twice += 1;
    if (isRun(frame)) this.#counts.runsTwice += 1;
    this.#hold(frame, draw.random.below(overtaken));
  }

  #hold(frame: Buffer, left: number): void {
    this.#counts.late += 1;
    const late = { frame, left };
    this.#late.push(late);
    setTimeout(() => this.#release((one) => one === late), longest);
  }

  #pass(frame: Buffer): void {
    this.#send(frame);
    for (const late of this.#late) late.left -= 1;
    this.#release(({ left }) => left <= 0);
  }

  #release(which: (late: Late) => boolean): void {
    const due = this.#late.filter(which);
    this.#late = this.#late.filter((late) => !due.includes(late));
    for (const { frame } of due) this.#send(frame);
  }

  #send(frame: Buffer): void {
    if (!this.#client.destroyed) this.#client.write(frame);
  }
}

const lineEnd = Buffer.from('\r\n');

/** Bytes of the frame at the beginning; 0 while it is not whole. */
function frameSize(bytes: Buffer): number {
  const end = bytes.indexOf(lineEnd);
  if (end < 0) return 0;
  const head = headOf(bytes);
  const payload = /^H?MSG /.test(head) ? Number(head.slice(head.lastIndexOf(' ') + 1)) + lineEnd.length : 0;
  const size = end + lineEnd.length + payload;
  return bytes.length < size ? 0 : size;
}

/** A message that is to be acked. */
const isDelivery = (frame: Buffer): boolean => /^H?MSG \S+ \S+ \$JS\.ACK\./.test(headOf(frame));

/** One that the sandbox was handed before: the number of deliveries stands behind the consumer in the subject of its ack. */
const isAgain = (frame: Buffer): boolean => / \$JS\.ACK\.\S+\.sandbox\.(?!1\.)\d+\./.test(headOf(frame));
const isRun = (frame: Buffer): boolean => headOf(frame).includes('.run.requested.');

const headOf = (frame: Buffer): string => frame.toString('latin1', 0, frame.indexOf(lineEnd));
