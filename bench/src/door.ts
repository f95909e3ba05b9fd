/** The gateway of a benchmark, with its database, and a person who calls it. */
import { authorizedParty, Gateway, issuer, issuerPublicKey, mintToken } from '@loom/cli';
import { start } from '@loom/gateway';
import { dirname } from 'node:path';
import { startDatabase } from './database.ts';
import { streams } from './rig.ts';
import type { Servers } from './server.ts';

export interface Door extends AsyncDisposable {
  readonly api: Gateway;
}

/** In this process: orchestrator and runner work in one of their own. */
export async function openDoor({ url, rootKeyFile }: Servers): Promise<Door> {
  await using opening = new AsyncDisposableStack();
  const database = opening.use(await startDatabase());
  const home = dirname(rootKeyFile);
  const gateway = await start({
    LOOM_NATS_URL: url,
    LOOM_NATS_PASSWORD: 'gateway',
    LOOM_STREAMS: String(streams),
    LOOM_ROOT_KEY_FILE: rootKeyFile,
    LOOM_PG_URL: await database.migrate('gateway'),
    LOOM_JWT_KEY: await issuerPublicKey(home),
    LOOM_JWT_ISSUER: issuer,
    LOOM_AUTHORIZED_PARTIES: authorizedParty,
  });
  opening.defer(() => gateway.stop());
  const opened = opening.move();
  return {
    api: new Gateway({ url: `http://127.0.0.1:${gateway.port}`, token: () => mintToken(home) }),
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  };
}
