import pg from 'pg';

/** Whole numbers of 8 bytes arrive as numbers: money in micro-USD and sequences stay far below 2^53. */
const types = {
  getTypeParser: ((oid: number, format?: 'text' | 'binary') =>
    oid === pg.types.builtins.INT8 ? Number : pg.types.getTypeParser(oid, format)) as typeof pg.types.getTypeParser,
};

/** A pool of connections under a service's own role. A connection that dies idle is replaced, it does not end the process. */
export function openPool(url: string, service: string, max = 4): pg.Pool {
  const pool = new pg.Pool({
    connectionString: url,
    application_name: `loom-${service}`,
    max,
    connectionTimeoutMillis: 5_000,
    idleTimeoutMillis: 30_000,
    statement_timeout: 30_000,
    types,
  });
  pool.on('error', () => undefined);
  return pool;
}

/** Whether the database answers; for readiness. */
export async function answers(pool: pg.Pool): Promise<boolean> {
  return pool.query('select 1').then(
    () => true,
    () => false,
  );
}
