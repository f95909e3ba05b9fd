import type { Tx } from './transaction.ts';

/** Up to where a projection has read one event stream. */
export interface Position {
  readonly projection: string;
  /** JetStream stream. */
  readonly stream: string;
  /** Of the log: a restored log begins another one, with sequences of its own. */
  readonly incarnation: string;
}

const keyOf = (at: Position): readonly string[] => [at.projection, at.stream, at.incarnation];

/** Last sequence applied, 0 for none. Held for this transaction alone: whoever else comes waits, and then sees what was done. */
export async function lockCheckpoint(tx: Tx, at: Position): Promise<number> {
  await tx.query(
    'insert into checkpoint (projection, stream, incarnation, seq) values ($1, $2, $3, 0) on conflict do nothing',
    keyOf(at),
  );
  const [row] = await tx.query<{ seq: number }>(
    'select seq from checkpoint where projection = $1 and stream = $2 and incarnation = $3 for update',
    keyOf(at),
  );
  return Number(row?.seq ?? 0);
}

export async function advance(tx: Tx, at: Position, seq: number): Promise<void> {
  await tx.query(
    'update checkpoint set seq = $4, at = now() where projection = $1 and stream = $2 and incarnation = $3',
    [...keyOf(at), seq],
  );
}
