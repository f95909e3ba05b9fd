/** The few calls of the Docker Engine API that set-up needs, over its socket. */
import { request, type IncomingMessage } from 'node:http';
import type { Readable } from 'node:stream';
import { createInterface } from 'node:readline';

/** Where the engine listens: LOOM_DOCKER_SOCKET, a DOCKER_HOST of the form unix://…, else the usual place. */
export function engineSocket(env: Readonly<Record<string, string | undefined>> = process.env): string {
  const host = env['DOCKER_HOST'] ?? '';
  return env['LOOM_DOCKER_SOCKET'] ?? (host.startsWith('unix://') ? host.slice(7) : '/var/run/docker.sock');
}

interface Call {
  readonly method?: 'GET' | 'POST';
  readonly body?: Readable;
  readonly signal?: AbortSignal;
}

function open(path: string, call: Call): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const headers = call.body ? { 'content-type': 'application/x-tar' } : {};
    const { signal } = call;
    const outgoing = request(
      { socketPath: engineSocket(), path, method: call.method ?? 'GET', headers, ...(signal ? { signal } : {}) },
      resolve,
    );
    outgoing.on('error', reject);
    if (call.body) call.body.on('error', reject).pipe(outgoing);
    else outgoing.end();
  });
}

/** An answer as JSON, null for 404. @throws for any other status of 400 and more, and when the engine does not answer */
export async function engineGet(
  path: string,
  signal = AbortSignal.timeout(5_000),
): Promise<Record<string, unknown> | null> {
  const answer = await open(path, { signal });
  let text = '';
  for await (const chunk of answer) text += String(chunk);
  if (answer.statusCode === 404) return null;
  if ((answer.statusCode ?? 500) >= 400) throw new Error(`the Docker engine answers ${answer.statusCode}: ${text}`);
  return JSON.parse(text) as Record<string, unknown>;
}

interface Message {
  readonly stream?: string;
  readonly error?: string;
  /** Of an answer with an error status. */
  readonly message?: string;
}

/** A POST whose answer is a stream of JSON lines; each goes to `line`. @throws at the first error among them */
export async function enginePost(path: string, call: Call, line: (message: Message) => void): Promise<void> {
  const answer = await open(path, { ...call, method: 'POST' });
  for await (const text of createInterface({ input: answer })) {
    if (text.trim() === '') continue;
    const message = JSON.parse(text) as Message;
    const error = message.error ?? message.message;
    if (error !== undefined) throw new Error(error);
    line(message);
  }
}
