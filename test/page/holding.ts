/** A script whose workers go on speaking until they are let go, so that on no machine it is over before it was seen. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Script } from '../emulators/script.ts';

export interface Holding {
  readonly script: Script;
  /** Resolves when so many are held since others were let go. @throws when they are not within 20 s */
  holds(count: number): Promise<void>;
  /** Lets go on who speaks now, and holds those that come behind. */
  release(): void;
  /** Holds nobody any more. */
  end(): void;
}

/** Characters that a worker who is held says, half a minute of pieces or more. */
const least = 24_000;

export function holding(script: Script): Holding {
  let hold = new AbortController();
  let held = 0;
  return {
    script: async (asked, call) => {
      const { signal } = hold;
      const reply = await script(asked, call);
      if (signal.aborted || !asked.tools.includes('delegate') || !('text' in reply)) return reply;
      if (signal === hold.signal) held += 1;
      return { ...reply, text: reply.text.repeat(Math.ceil(least / reply.text.length)), hurry: signal };
    },
    async holds(count) {
      for (const until = Date.now() + 20_000; held < count; await sleep(20))
        if (Date.now() > until) throw new Error(`${held} of ${count} are held`);
    },
    release() {
      const before = hold;
      hold = new AbortController();
      held = 0;
      before.abort();
    },
    end: () => hold.abort(),
  };
}
