/** The wall clocks of a rig's services. Owns the file that tells each how far it is off. */
import { rename, writeFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';

/** Ms that a clock is ahead, or one that stands still. */
export type Shift = number | 'stopped';

/** By service; a clock that is not named is right. */
export type Shifts = Readonly<Record<string, Shift>>;

export interface Clocks {
  /** Resolves when every process has seen it. */
  set(shifts: Shifts): Promise<void>;
}

/** Processes look every 20 ms; ms. */
const seen = 100;

export async function clocksIn(file: string): Promise<Clocks> {
  const write = async (shifts: Shifts): Promise<void> => {
    await writeFile(`${file}.next`, JSON.stringify(shifts));
    await rename(`${file}.next`, file);
  };
  await write({});
  return {
    set: async (shifts) => {
      await write(shifts);
      await sleep(seen);
    },
  };
}
