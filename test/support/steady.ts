/** What a test may ask of a machine that it shares: patience where nothing is promised, and steadiness where a bound is. */
import { setTimeout as sleep } from 'node:timers/promises';

/** Options of a question to a server, of whose answer no time is promised. */
export const patient = { timeout: 30_000 } as const;

/** Between two beats, ms. */
const pause = 20;
const mostTrials = 10;

/**
 * The result of the first trial in which nothing stood still for longer than `limit` ms, this process and what answers `beat` alike: where a clock
 * is what is tested, a trial in which the machine gave nobody the processor tells nothing. A trial that throws is not repeated.
 * @throws when there was none among ten
 */
export async function steady<T>(limit: number, beat: () => Promise<unknown>, trial: () => Promise<T>): Promise<T> {
  for (let trials = 0; trials < mostTrials; trials++) {
    const stop = new AbortController();
    const longest = longestBeat(beat, stop.signal);
    const result = await trial().finally(() => stop.abort());
    if ((await longest) <= limit) return result;
  }
  throw new Error(`in each of ${mostTrials} trials something stood still for more than ${limit} ms`);
}

/** The longest that a beat came late, ms, until the signal. */
async function longestBeat(beat: () => Promise<unknown>, signal: AbortSignal): Promise<number> {
  let longest = 0;
  while (!signal.aborted) {
    const began = performance.now();
    await beat();
    await sleep(pause);
    longest = Math.max(longest, performance.now() - began - pause);
  }
  return longest;
}
