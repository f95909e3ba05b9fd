import { LoomError } from '@loom/service';
import { natsServer, patient, type NatsServer } from '@loom/test';
import { DiscardPolicy, type JetStreamManager, StorageType, jetstreamManager } from '@nats-io/jetstream';
import { connect } from '@nats-io/transport-node';
import { join } from 'node:path';
import { type PoolKeys, type Vault, ensureRootKeyFile, generatePoolKeys, openVault } from '../src/index.ts';

/** A server with a key bucket, and vaults on it that share nothing but bucket and root key. */
export interface Bench extends AsyncDisposable {
  readonly server: NatsServer;
  readonly manager: JetStreamManager;
  readonly pool: PoolKeys;
  readonly vault: () => Promise<Vault>;
}

export async function bench(): Promise<Bench> {
  const server = await natsServer();
  const connection = await connect({ servers: server.url });
  const manager = await jetstreamManager(connection, patient);
  await manager.streams.add({
    name: 'KV_loom_keys',
    subjects: ['$KV.loom_keys.>'],
    storage: StorageType.File,
    discard: DiscardPolicy.New,
    max_msgs_per_subject: 1,
    discard_new_per_subject: true,
    allow_direct: true,
  });
  const rootKeyFile = join(server.dir, 'root.key');
  await ensureRootKeyFile(rootKeyFile);
  const pool = await generatePoolKeys();
  return {
    server,
    manager,
    pool,
    vault: () => openVault({ connection, rootKeyFile, poolPublicKey: pool.publicKey }),
    [Symbol.asyncDispose]: async () => {
      await connection.close();
      await server[Symbol.asyncDispose]();
    },
  };
}

/** Code of the LoomError that the work fails with, `none` when it does not. */
export async function codeOf(work: () => unknown): Promise<string> {
  try {
    await work();
    return 'none';
  } catch (cause) {
    return LoomError.from(cause).code;
  }
}
