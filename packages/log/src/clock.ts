/**
 * The time of the log's server as this process knows it: facts are dated by it, so deadlines are held by it. Owns the last reading.
 * K1  Between readings it goes on with the monotonic clock: whoever sets the clock of this machine does not move it.
 * K2  Who asks for the time when the reading is a minute old makes another in the background; while the server is silent the old one counts.
 */
const stale = 60_000;

export class ServerClock {
  readonly #read: () => Promise<number>;
  /** The server's Unix ms at the zero of `performance.now()`. */
  #zero: number;
  #readAt = performance.now();
  #reading = false;

  /** `first` is a reading, Unix ms; `read` makes another. */
  constructor(first: number, read: () => Promise<number>) {
    this.#zero = first - performance.now();
    this.#read = read;
  }

  /** Unix ms, whole. */
  now(): number {
    const now = performance.now();
    if (now - this.#readAt > stale && !this.#reading) void this.#renew();
    return Math.floor(this.#zero + now);
  }

  async #renew(): Promise<void> {
    this.#reading = true;
    const time = await this.#read().catch(() => null);
    if (time !== null) this.#zero = time - performance.now();
    this.#readAt = performance.now();
    this.#reading = false;
  }
}
