import { LoomError, backoffMs } from '@loom/service';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Pool, PoolClient, QueryResultRow } from 'pg';

/** The open transaction, as far as its user may go. */
export interface Tx {
  query<R extends QueryResultRow>(text: string, values?: readonly unknown[]): Promise<readonly R[]>;
}

const most = 8;

/** Serialization failures, deadlocks, refused and cut connections, a server that starts or stops: the same transaction may be tried again. */
const again = /^(40001|40P01|08\w{3}|57P0[123]|53300|ECONN\w+|EPIPE|ETIMEDOUT)$/;

function mayTryAgain(cause: unknown): boolean {
  if (!(cause instanceof Error)) return false;
  const code = (cause as { code?: unknown }).code;
  return typeof code === 'string'
    ? again.test(code)
    : /terminated|timeout exceeded when trying to connect/i.test(cause.message);
}

/**
 * Runs `work` in one transaction; tried again, with back-off, on what passes by itself. `work` must be repeatable: when a connection is cut at COMMIT
 * nobody knows whether it was done, so it has to look first.
 * @throws LoomError `database_unavailable` when eight tries failed or the signal aborted; what `work` throws otherwise
 */
export async function transact<T>(pool: Pool, work: (tx: Tx) => Promise<T>, signal?: AbortSignal): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await once(pool, work);
    } catch (cause) {
      if (!mayTryAgain(cause)) throw cause;
      if (attempt === most || signal?.aborted === true)
        throw new LoomError('database_unavailable', undefined, { cause });
      await sleep(backoffMs(attempt), undefined, signal === undefined ? {} : { signal }).catch(() => undefined);
    }
  }
}

async function once<T>(pool: Pool, work: (tx: Tx) => Promise<T>): Promise<T> {
  const client = await pool.connect();
  let broken: Error | undefined;
  const cut = (cause: Error): void => {
    broken = cause;
  };
  client.on('error', cut);
  try {
    await client.query('begin');
    const result = await work(over(client));
    await client.query('commit');
    return result;
  } catch (cause) {
    // What is asked of a client behind its cut is refused in words that say nothing of the cut.
    const why = broken ?? cause;
    await client.query('rollback').catch(cut);
    throw why;
  } finally {
    client.off('error', cut);
    client.release(broken);
  }
}

const over = (client: PoolClient): Tx => ({
  async query<R extends QueryResultRow>(text: string, values: readonly unknown[] = []) {
    return (await client.query<R>(text, [...values])).rows;
  },
});
