/** A script whose workers go on speaking until they are let go, so that on no machine it is over before it was seen. */
import type { Script } from '../emulators/script.ts';

export interface Holding {
  readonly script: Script;
  /** Lets go on who speaks now, and holds those that come behind. */
  release(): void;
  /** Holds nobody any more. */
  end(): void;
}

/** Characters that a worker who is held says, half a minute of pieces or more. */
const least = 24_000;

export function holding(script: Script): Holding {
  let hold = new AbortController();
  return {
    script: async (asked, call) => {
      const { signal } = hold;
      const reply = await script(asked, call);
      if (signal.aborted || !asked.tools.includes('delegate') || !('text' in reply)) return reply;
      return { ...reply, text: reply.text.repeat(Math.ceil(least / reply.text.length)), hurry: signal };
    },
    release() {
      const held = hold;
      hold = new AbortController();
      held.abort();
    },
    end: () => hold.abort(),
  };
}
