/** The decisions of one job derived anew while its facts are checked, for as long as its content can be opened. */
import { streamOf } from '@loom/log';
import type { Address, Log } from '@loom/log';
import { LoomError } from '@loom/service';
import type { Finding } from './domain/check.ts';
import { isKnown } from './domain/rule.ts';
import type { Entry } from './domain/rule.ts';
import { Opening } from './opening.ts';
import type { Found } from './opening.ts';
import { Rederivation } from './rederive.ts';
import type { Decide, Rederived } from './rederive.ts';

interface Derived extends Omit<Rederived, 'broken'> {
  /** Nobody can open it any more, or what it lies in is a finding of another rule. */
  readonly gone: boolean;
  readonly broken: Finding | null;
}

export class Deriving {
  readonly #log: Log;
  readonly #at: Address;
  readonly #derived: Rederivation;
  readonly #opening: Opening;

  constructor(log: Log, at: Address, decide: Decide) {
    this.#log = log;
    this.#at = at;
    this.#derived = new Rederivation(at, decide);
    this.#opening = new Opening(
      (fact) => log.open(fact),
      (fact) => this.#derived.see(fact),
    );
  }

  async see(entry: Entry): Promise<void> {
    if (entry.sumHolds && isKnown(entry)) await this.#opening.see(entry);
    else this.#opening.stop(entry, new LoomError('damaged', entry.problem));
  }

  end(): Derived {
    const found = this.#opening.end();
    const { decisions, skipped } = this.#derived;
    if (found.kind === 'gone') return { decisions: 0, skipped: 0, gone: true, broken: null };
    if (found.kind === 'shut') return { decisions: 0, skipped: 0, gone: false, broken: this.#findingOf(found) };
    return { decisions, skipped, gone: false, broken: found.kind === 'whole' ? null : this.#findingOf(found) };
  }

  #findingOf({ kind, broken }: Extract<Found, { kind: 'differs' | 'shut' }>): Finding {
    const { tenant, stream: job } = this.#at;
    const rule = kind === 'shut' ? { rule: 'opens', invariant: 7 } : { rule: 'rederived', invariant: 4 };
    return { ...rule, tenant, job, stream: streamOf(this.#at, this.#log.streams.length), ...broken };
  }
}
