/** How long a key may be held, ms: after a destruction elsewhere it works no longer than this. */
const lifetime = 5 * 60 * 1000;
const capacity = 2000;

interface Held<V> {
  readonly until: number;
  readonly loading: Promise<V>;
  value?: V;
}

interface Cache<A extends readonly string[], V> {
  /** Loads once for all who ask at the same time; a failure is not held. The first argument is the name. */
  get(...args: A): Promise<V>;
  /** What a `get` loaded, without waiting; undefined when it was not loaded. */
  peek(name: string): V | undefined;
  /** The same, where a `get` would answer it now. */
  fresh(name: string): V | undefined;
  clear(): void;
}

/** Values by name, each at most 5 minutes old when it is got. */
export function cache<A extends readonly [string, ...string[]], V>(load: (...args: A) => Promise<V>): Cache<A, V> {
  const held = new Map<string, Held<V>>();

  const start = (args: A): Held<V> => {
    const entry: Held<V> = { until: performance.now() + lifetime, loading: load(...args) };
    held.delete(args[0]);
    held.set(args[0], entry);
    if (held.size > capacity) dropOldest(held);
    entry.loading.then(
      (value) => (entry.value = value),
      () => held.get(args[0]) === entry && held.delete(args[0]),
    );
    return entry;
  };

  const young = (name: string): Held<V> | undefined => {
    const known = held.get(name);
    return known !== undefined && known.until > performance.now() ? known : undefined;
  };

  return {
    get: (...args) => (young(args[0]) ?? start(args)).loading,
    peek: (name) => held.get(name)?.value,
    fresh: (name) => young(name)?.value,
    clear: () => held.clear(),
  };
}

function dropOldest(held: Map<string, unknown>): void {
  for (const name of held.keys()) {
    held.delete(name);
    return;
  }
}
