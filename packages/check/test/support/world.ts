/** A nats-server with Loom's streams, and a log on it for each service; who may do what is no matter here. */
import { natsBlobs } from '@loom/blobs';
import { connectLog, setUpLog } from '@loom/log';
import type { Log, Source } from '@loom/log';
import { natsServer } from '@loom/test';
import { ensureRootKeyFile, generatePoolKeys, openVault } from '@loom/vault';
import { join } from 'node:path';

export interface World extends AsyncDisposable {
  log(source: Source): Promise<Log>;
}

export async function world(): Promise<World> {
  await using owned = new AsyncDisposableStack();
  const server = owned.use(await natsServer());
  const rootKeyFile = join(server.dir, 'root.key');
  await ensureRootKeyFile(rootKeyFile);
  const { publicKey } = await generatePoolKeys();
  const anybody = { servers: server.url, user: '', password: '' };
  await setUpLog({ ...anybody, user: '' as 'setup' });
  const kept = owned.move();
  return {
    log: async (source) =>
      kept.use(
        await connectLog({
          ...anybody,
          source,
          vault: (connection) => openVault({ connection, rootKeyFile, poolPublicKey: publicKey }),
          blobs: (connection) => natsBlobs({ connection }),
        }),
      ),
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  };
}
