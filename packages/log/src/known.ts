/**
 * What this process wrote or was handed a moment ago, by its sum, so that the same bytes need not be decoded and opened again when the log hands them
 * over. Owns copies of bodies; any of them may be forgotten.
 * N1  Looked up only with a sum that was verified: the same sum is the same subject, headers and bytes, hence the same bodies.
 * N2  Small bodies alone, and only the latest of them, so that what it holds is bounded (4 MiB).
 */
import type { Bodies, FactType } from '@loom/schemas';

/** An item as it is opened, without its place. */
export interface Opened {
  readonly type: FactType;
  readonly key: string;
  readonly body: Bodies[FactType];
}

const most = 512;
/** Bytes, claimed ones included. */
const largest = 8192;

export class Known {
  readonly #bySum = new Map<string, readonly Opened[]>();

  remember(sum: string, size: number, opened: readonly Opened[]): void {
    if (size > largest || opened.length === 0) return;
    this.#bySum.set(sum, opened);
    const oldest = this.#bySum.keys().next();
    if (this.#bySum.size > most && !oldest.done) this.#bySum.delete(oldest.value);
  }

  get(sum: string): readonly Opened[] | undefined {
    return this.#bySum.get(sum);
  }
}
