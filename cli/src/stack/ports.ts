import { once } from 'node:events';
import { createServer } from 'node:net';

/** What this process drew already, given or found taken: a server that was given one may not listen there yet, or be down for a moment. */
const drawn = new Set<number>();

/** Below the range that outgoing connections take their ports from: nobody borrows one of these while a server is down. */
const [lowest, highest] = [10_240, 32_000];

async function isFree(port: number): Promise<boolean> {
  const server = createServer();
  server.listen(port, '127.0.0.1');
  const free = await once(server, 'listening').then(
    () => true,
    () => false,
  );
  if (free) await new Promise((resolve) => server.close(resolve));
  return free;
}

/** Loopback ports, free a moment ago, that a server can come back to after it was down; none is given out twice. */
export async function lastingPorts(count: number): Promise<number[]> {
  const found: number[] = [];
  while (found.length < count) {
    const port = lowest + Math.floor(Math.random() * (highest - lowest));
    if (drawn.has(port)) continue;
    drawn.add(port);
    if (await isFree(port)) found.push(port);
  }
  return found;
}
