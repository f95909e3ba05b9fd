/** Jobs for end-to-end tests: submitted, followed and read over HTTP alone, as any client would. */
import { Gateway, type Brief, type Stack } from '@loom/cli';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

type View = Awaited<ReturnType<Gateway['job']>>;

export interface Client {
  readonly gateway: Gateway;
  /** Posts a brief with files; the job's id. */
  submit(text: string, files?: Readonly<Record<string, string | Uint8Array>>): Promise<string>;
  /** The job once it has ended. @throws when it has not within `seconds` */
  ended(id: string, seconds?: number): Promise<View>;
  /** The job once `when` holds. @throws when it does not within `seconds` */
  until(id: string, when: (job: View) => boolean, seconds?: number): Promise<View>;
  artifact(id: string, path: string): Promise<Buffer>;
}

const over = ['completed', 'failed', 'refused', 'cancelled'];

/** A client of a stack; `person` and `tenant` as the local issuer takes them. */
export function clientOf(stack: Stack, who: { readonly person?: string; readonly tenant?: string } = {}): Client {
  const gateway = new Gateway({ url: stack.url, token: () => stack.token(who) });
  const until = async (id: string, when: (job: View) => boolean, seconds = 60): Promise<View> => {
    let last: View | null = null;
    let trouble: unknown;
    for (const end = Date.now() + seconds * 1000; Date.now() < end; await sleep(50)) {
      last = await gateway.job(id).catch((cause: unknown) => ((trouble = cause), null));
      if (last && when(last)) return last;
    }
    throw new Error(
      `${id} is ${last?.status ?? 'out of reach'} after ${seconds} s: ${JSON.stringify(last?.agents.map(({ id: agent, status, tool }) => [agent, status, tool]))}`,
      { cause: trouble },
    );
  };
  return {
    gateway,
    until,
    ended: (id, seconds) => until(id, ({ status }) => over.includes(status), seconds),
    submit: async (text, files = {}) => {
      await using folder = await filesIn(files);
      return (await gateway.submit({ text, files: folder.files }, {})).id;
    },
    artifact: async (id, path) =>
      Buffer.from(await (await gateway.call('GET', `/v1/jobs/${id}/artifacts/${path}`)).arrayBuffer()),
  };
}

async function filesIn(
  files: Readonly<Record<string, string | Uint8Array>>,
): Promise<AsyncDisposable & { readonly files: Brief['files'] }> {
  const dir = await mkdtemp(join(tmpdir(), 'loom-files-'));
  const paths = Object.keys(files).map((name) => join(dir, basename(name)));
  await Promise.all(Object.entries(files).map(([name, content]) => writeFile(join(dir, basename(name)), content)));
  return {
    files: paths.map((path) => ({ path, name: basename(path), size: 0 })),
    [Symbol.asyncDispose]: () => rm(dir, { recursive: true, force: true }),
  };
}
