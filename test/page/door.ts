/**
 * One address before several gateways, as an ingress would be.
 * D1  A gateway that takes no connection is passed over; one that breaks off before it answers costs a read another try, and a change a 503 to be asked again.
 * D2  What every client was answered is on record, and which facts were sent to it.
 */
import { once } from 'node:events';
import { createServer, request, type IncomingMessage, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

export interface Answered {
  readonly method: string;
  readonly path: string;
  readonly status: number;
}

export interface Door extends AsyncDisposable {
  readonly origin: string;
  readonly answers: readonly Answered[];
  /** Ids of the events of a job as they went by, line by line. */
  readonly lines: readonly { readonly path: string; readonly ids: readonly number[] }[];
  /** Hands over no more of the event streams that are open now. */
  hold(): void;
  /** Cuts every connection that is open now. */
  cut(): void;
}

export async function door(targets: readonly string[]): Promise<Door> {
  const answers: Answered[] = [];
  const lines: { path: string; ids: number[] }[] = [];
  const sockets = new Set<Socket>();
  const streams = new Set<IncomingMessage>();
  let turn = 0;
  const server = createServer((incoming, outgoing) => {
    const order = targets.map((_, at) => targets[(at + turn) % targets.length] ?? '');
    turn += 1;
    void pass({ incoming, outgoing, order, answers, lines, streams });
  });
  server.on('connection', (socket) => {
    sockets.add(socket.once('close', () => sockets.delete(socket)));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const cut = (): void => sockets.forEach((socket) => socket.destroy());
  return {
    origin: `http://127.0.0.1:${port}`,
    answers,
    lines,
    hold: () => streams.forEach((stream) => stream.unpipe().pause()),
    cut,
    async [Symbol.asyncDispose]() {
      server.close();
      cut();
      await once(server, 'close');
    },
  };
}

interface Passing {
  readonly incoming: IncomingMessage;
  readonly outgoing: ServerResponse;
  readonly order: readonly string[];
  readonly answers: Answered[];
  readonly lines: { path: string; ids: number[] }[];
  readonly streams: Set<IncomingMessage>;
}

async function pass(passing: Passing): Promise<void> {
  const { incoming, outgoing, order } = passing;
  const chunks: Buffer[] = [];
  for await (const chunk of incoming) chunks.push(chunk as Buffer);
  const body = Buffer.concat(chunks);
  for (const target of order) {
    const answer = await ask(target, incoming, outgoing, body);
    if (answer instanceof Error && mayRepeat(incoming, answer)) continue;
    if (answer instanceof Error) break;
    return handOver(passing, answer);
  }
  note(passing, 503);
  outgoing.writeHead(503, { 'content-type': 'application/problem+json', 'retry-after': '1' });
  outgoing.end(JSON.stringify({ status: 503, code: 'log_unavailable', detail: 'Nobody is there.', retry: 'later' }));
}

const mayRepeat = ({ method }: IncomingMessage, cause: NodeJS.ErrnoException): boolean =>
  cause.code === 'ECONNREFUSED' || method === 'GET';

const note = ({ incoming, answers }: Passing, status: number): void =>
  void answers.push({ method: incoming.method ?? '', path: incoming.url ?? '', status });

function ask(target: string, incoming: IncomingMessage, outgoing: ServerResponse, body: Buffer) {
  return new Promise<IncomingMessage | Error>((resolve) => {
    const { method = 'GET', headers, url = '/' } = incoming;
    const upstream = request(new URL(url, target), { method, headers, agent: false }, resolve);
    upstream.on('error', resolve);
    outgoing.on('close', () => upstream.destroy());
    upstream.end(body);
  });
}

function handOver(passing: Passing, answer: IncomingMessage): void {
  const { outgoing, incoming, lines, streams } = passing;
  note(passing, answer.statusCode ?? 0);
  outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
  if (String(answer.headers['content-type']).startsWith('text/event-stream')) {
    const line = { path: incoming.url ?? '', ids: [] as number[] };
    lines.push(line);
    answer.on('data', idReader(line.ids));
    streams.add(answer.once('close', () => streams.delete(answer)));
  }
  answer.on('error', () => outgoing.destroy());
  answer.pipe(outgoing);
}

/** Ids of the events that went by whole, also where one is split between two chunks. */
function idReader(ids: number[]): (chunk: Buffer) => void {
  let rest = '';
  return (chunk) => {
    const events = (rest + chunk.toString()).split('\n\n');
    rest = events.pop() ?? '';
    for (const event of events) {
      const id = event.split('\n').find((line) => line.startsWith('id: '));
      if (id !== undefined) ids.push(Number(id.slice(4)));
    }
  };
}
