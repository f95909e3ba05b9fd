/** A real NATS cluster for one test file, with Loom's users, and its streams in three replicas. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findNatsServer, startNatsCluster, type NatsCluster } from '@loom/cli';
import { connectLog, natsUsers, setUpLog, type Log, type LogOptions, type Source } from '@loom/log';
import { ensureRootKeyFile, openVault } from '@loom/vault';

export interface Cluster extends AsyncDisposable {
  readonly nats: NatsCluster;
  /** A log as a service has it. `node`: the number of the server that it connects to first; after a kill it takes any. */
  log(source: Source, options?: { readonly node?: number; readonly patience?: number }): Promise<Log>;
}

const names = ['gateway', 'orchestrator', 'agent-runner', 'sandbox', 'operator', 'setup'];
const passwordOf = (user: string): string => `pass-${user}`;

/** Starts three servers and sets the log up on them; dispose closes its logs, stops the servers and removes the folder. */
export async function natsCluster({ streams = 2 }: { readonly streams?: number } = {}): Promise<Cluster> {
  await using owned = new AsyncDisposableStack();
  const dir = await mkdtemp(join(tmpdir(), 'loom-cluster-'));
  owned.defer(() => rm(dir, { recursive: true, force: true }));
  const users = natsUsers(Object.fromEntries(names.map((name) => [name, passwordOf(name)])), streams);
  const nats = owned.use(await startNatsCluster({ dir, users, binary: await findNatsServer() }));
  await setUpLog({ servers: nats.url, user: 'setup', password: passwordOf('setup'), streams, replicas: 3 });
  await nats.settled();
  const rootKeyFile = join(dir, 'root.key');
  await ensureRootKeyFile(rootKeyFile);
  const kept = owned.move();
  return {
    nats,
    async log(source, { node, patience } = {}) {
      const servers = node === undefined ? nats.url : (nats.nodes[node % nats.nodes.length]?.url ?? nats.url);
      const vault: LogOptions['vault'] = (connection) => openVault({ connection, rootKeyFile });
      const more = patience === undefined ? {} : { patience };
      const user = { user: source, password: passwordOf(source) };
      return kept.use(await connectLog({ servers, ...user, source, streams, vault, ...more }));
    },
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  };
}
