/** Wakes one waiter: by a ring, by the end of a wait, or by the signal. A ring between two waits is not lost. */
export interface Bell {
  readonly ring: () => void;
  /** True when it was rung, false when `ms` went by or the signal aborted. */
  readonly wait: (ms: number) => Promise<boolean>;
}

export function bell(signal: AbortSignal): Bell {
  let rung = false;
  let wake: (() => void) | null = null;
  const ring = (): void => {
    rung = true;
    wake?.();
  };
  return {
    ring,
    async wait(ms) {
      if (!rung && !signal.aborted) {
        await new Promise<void>((resolve) => {
          const timer = setTimeout(resolve, ms);
          wake = () => {
            clearTimeout(timer);
            resolve();
          };
          signal.addEventListener('abort', wake, { once: true });
        });
        if (wake !== null) signal.removeEventListener('abort', wake);
        wake = null;
      }
      const was = rung;
      rung = false;
      return was;
    },
  };
}
