/** What `./loom` needs beside Node: how each part is found and brought. */
import type { Output } from '../output.ts';

export interface Found {
  readonly version: string;
  /** A file, an address or a tag. */
  readonly where: string;
}

export interface Part {
  readonly name: string;
  /** null: not there. Changes nothing. */
  find(): Promise<Found | null>;
  /** Finds it or gets it, showing progress. @throws Failure 3 that says what is missing and how to get it */
  bring(out: Output): Promise<Found>;
  /** Only tests need it. */
  readonly forTests?: true;
  /** How a person can get it. */
  readonly how: readonly string[];
}
