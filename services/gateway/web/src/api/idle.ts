/** Aborts when it was not told for `ms` that something still comes. */
export interface Idle {
  readonly signal: AbortSignal;
  readonly again: () => void;
  readonly stop: () => void;
}

export function idle(ms: number): Idle {
  const abort = new AbortController();
  const begin = () => setTimeout(() => abort.abort(new Error(`nothing came for ${ms / 1_000} s`)), ms);
  let timer = begin();
  return {
    signal: abort.signal,
    again: () => {
      clearTimeout(timer);
      timer = begin();
    },
    stop: () => clearTimeout(timer),
  };
}
