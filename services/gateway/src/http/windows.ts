interface Window {
  count: number;
  readonly since: number;
}

/** Keys that are counted; who called longest ago is forgotten. */
const most = 5_000;

/** Counts calls by key in windows of the monotonic clock: setting this machine's clock back keeps nobody shut out. */
export class Windows {
  readonly #open = new Map<string, Window>();

  incr(
    key: string,
    done: (error: Error | null, result?: { current: number; ttl: number }) => void,
    length: number,
  ): void {
    const now = performance.now();
    const known = this.#open.get(key);
    const window = known !== undefined && now - known.since < length ? known : { count: 0, since: now };
    window.count += 1;
    this.#open.delete(key);
    this.#open.set(key, window);
    const oldest = this.#open.keys().next();
    if (this.#open.size > most && !oldest.done) this.#open.delete(oldest.value);
    done(null, { current: window.count, ttl: Math.ceil(length - (now - window.since)) });
  }

  child(): Windows {
    return new Windows();
  }
}
