/** What is parked, a message or a step, as the command shows it and acts on it. */
import type { Address, Redress } from '@loom/log';
import type { Output } from '../output.ts';

/** One of those that an operator decided on, as far as it is known without looking it up. */
export interface Past {
  readonly kind: 'message' | 'step';
  readonly at: Address;
  /** The service that failed at it. */
  readonly consumer: string;
}

/** One thing that is parked, or was. */
export interface Thing extends Past {
  readonly key: string;
  readonly state: 'parked' | 'redriven' | 'dropped';
  /** Unix ms. */
  readonly since: number;
  /** For people. */
  readonly line: string;
  /** For machines. */
  readonly record: object;
  show(out: Output): Promise<void>;
  /** Once a failure. Answers where that is on record. @throws Failure 1 */
  redrive(act: Redress): Promise<number>;
  /** @throws Failure 1 */
  drop(act: Redress): Promise<number>;
}

/** What every line begins and ends with. */
export function lineOf(one: Pick<Thing, 'key' | 'state' | 'at'>, when: number, why: string, note: string): string {
  const { key, state, at } = one;
  const where = `${at.tenant}/${at.stream}`;
  return `${key}  ${state.padEnd(8)} ${new Date(when).toISOString()}  ${why}  ${where}${note && `  “${note}”`}`;
}

export const times = (attempts: number): string => `${attempts} ${attempts === 1 ? 'attempt' : 'attempts'}`;
