import type { Copy, Fact } from '../tamper.ts';

/** Breaks one rule of a log that holds; the fact at which that must show. */
type Tamper = (log: Copy) => Fact;

export type Row = readonly [rule: string, how: string, tamper: Tamper];
