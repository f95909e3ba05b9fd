/**
 * What lies between a process and the server. Each direction keeps its order as a TCP connection does, but where a fault lets a message
 * overtake; a delayed message delays those behind it.
 */
import type { Faults } from './faults.ts';
import type { Host } from './timeline.ts';

/** One direction of one connection. */
export class Wire {
  readonly #from: Host;
  readonly #to: Host;
  readonly #faults: Faults;
  #last = 0;

  constructor(from: Host, to: Host, faults: Faults) {
    this.#from = from;
    this.#to = to;
    this.#faults = faults;
  }

  /** Calls `arrive` at the other end: once, or as often as the faults have it. */
  send(arrive: () => void): void {
    if (this.#faults.strikes('drop')) return;
    this.#carry(arrive);
    if (this.#faults.strikes('duplicate')) this.#carry(arrive);
  }

  #carry(arrive: () => void): void {
    const { timeline } = this.#from;
    const slow = this.#faults.strikes('delay') ? this.#faults.between(20, 4_000) : 0;
    const at = timeline.now + slow + this.#faults.between(0, 3);
    const overtakes = this.#faults.strikes('reorder');
    const due = overtakes ? at + this.#faults.between(5, 60) : Math.max(this.#last, at);
    if (!overtakes) this.#last = due;
    timeline.in(due - timeline.now, this.#to, arrive);
  }
}
