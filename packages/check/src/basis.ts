import { emptyJob, evolve } from '@loom/job';
import type { Job } from '@loom/job';
import type { Address, Fact } from '@loom/log';

/** Owns the fold that the decision at hand stands on; facts behind its basis wait for the next. */
export class Basis {
  readonly job: Job;
  readonly #behind: Fact[] = [];

  constructor(at: Address) {
    this.job = emptyJob(at);
  }

  /** The state that a decision was made of. */
  of({ basis }: Fact): Job {
    const later = this.#behind.findIndex(({ seq }) => seq > basis);
    for (const fact of this.#behind.splice(0, later < 0 ? this.#behind.length : later)) evolve(this.job, fact);
    return this.job;
  }

  /** The next fact of the job. */
  add(fact: Fact): void {
    this.#behind.push(fact);
  }
}
