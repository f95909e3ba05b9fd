/** Servers made ready for both sides, and the gateway's part: submitting jobs. */
import { connectLog, setUpLog } from '@loom/log';
import type { Address, Log } from '@loom/log';
import { ensureRootKeyFile, generatePoolKeys, openVault } from '@loom/vault';
import { randomBytes } from 'node:crypto';
import { startCrew, type Crew, type Ran } from './crew.ts';
import type { Shape, Work } from './protocol.ts';
import { setUpRaw } from './raw.ts';
import { startServers, type Servers, type Sync } from './server.ts';

export const streams = 4;

export interface Rig extends AsyncDisposable {
  readonly servers: Servers;
  readonly gateway: Log;
  crew(side: Work['side'], shape: Shape, options?: { layout?: 'together' | 'apart'; price?: number }): Promise<Crew>;
}

export interface RigOptions {
  readonly binary: string;
  readonly sync: Sync;
  readonly size?: 1 | 3;
}

export async function startRig(options: RigOptions): Promise<Rig> {
  const servers = await startServers(options);
  try {
    const replicas = options.size ?? 1;
    await ensureRootKeyFile(servers.rootKeyFile);
    await setUpLog({ servers: servers.url, user: 'setup', password: 'setup', streams, replicas });
    await setUpRaw(servers.url, streams, replicas);
    const { publicKey } = await generatePoolKeys();
    const gateway = await logOf('gateway', servers);
    const place = { url: servers.url, rootKeyFile: servers.rootKeyFile, poolPublicKey: publicKey, streams };
    return {
      servers,
      gateway,
      crew: (side, shape, { layout = 'together', price = 0 } = {}) =>
        startCrew({ ...place, side, shape, price }, layout),
      async [Symbol.asyncDispose]() {
        await gateway[Symbol.asyncDispose]();
        await servers[Symbol.asyncDispose]();
      },
    };
  } catch (cause) {
    await servers[Symbol.asyncDispose]();
    throw cause;
  }
}

/** The log as one of the services sees it. */
export const logOf = (source: 'gateway' | 'operator', { url, rootKeyFile }: Servers): Promise<Log> =>
  connectLog({
    servers: url,
    user: source,
    password: source,
    source,
    streams,
    vault: (connection) => openVault({ connection, rootKeyFile }),
  });

const newJob = (): Address => ({ tenant: 'tbench', stream: `job_0${randomBytes(13).toString('hex')}` });

/** Submits a job as the gateway does. */
export async function submit(gateway: Log): Promise<Address> {
  const at = newJob();
  const request = { action: 'POST /v1/jobs', target: '', person: 'bench', ip: '127.0.0.1', user_agent: 'bench' };
  const body = {
    brief: 'Look through the figures step by step until told that it is enough.',
    attachments: [],
    metadata: {},
    engagement: 'default',
    owner: 'bench',
    budget_micros: 1_000_000_000,
    models: {},
    follows: null,
    forked_from: null,
    from_seq: null,
    mode: null,
    tightened: {},
    request,
  };
  await gateway.append(at, { type: 'job.submitted', key: '0', body });
  return at;
}

let loops = 0;

/** Runs `count` loops, all at once or one after another, and measures them. @throws when they have not ended within two minutes */
export async function runLoops(
  rig: Rig,
  side: Work['side'],
  crew: Crew,
  { count, together }: { readonly count: number; readonly together: boolean },
): Promise<Ran> {
  const begin = async (): Promise<unknown> =>
    side === 'raw' ? crew.begin([`l${++loops}`, ...(together ? more(count - 1) : [])]) : submit(rig.gateway);
  crew.reset();
  if (together) {
    const all = ends(crew, count);
    await Promise.all(Array.from({ length: side === 'raw' ? 1 : count }, begin));
    await all;
  } else {
    for (let i = 0; i < count; i++) {
      const one = ends(crew, 1);
      await begin();
      await one;
    }
  }
  return crew.measure(together);
}

const more = (count: number): string[] => Array.from({ length: count }, () => `l${++loops}`);

export function ends(crew: Crew, count: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error('the loops of the benchmark did not end')), 120_000);
    let left = count;
    const off = crew.onEnded(() => {
      if (--left > 0) return;
      clearTimeout(timer);
      off();
      resolve();
    });
  });
}
