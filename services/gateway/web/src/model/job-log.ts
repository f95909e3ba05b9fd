/**
 * Owns one job's facts in the browser: what came so far, the state they fold to, and the words that are being spoken.
 * L1  A fact is taken once and in order: one at or below the last sequence changes nothing.
 * L2  Words belong to an open attempt; they go when it settles, since its fact then holds them all, or when the line was cut and they have a hole.
 * L3  Who shows it is told at most once in `pace` ms, however fast facts come, and only in `patience` ms while a person presses.
 */
import type { Fact } from '@loom/log';
import { emptyJob, foldFact, type Agent, type Job } from '../../../../../packages/job/src/pure.ts';
import { lastPress } from './presses.ts';
import { factOf, type ShownFact } from './shown.ts';

const pace = 100;
const patience = 500;
/** After a press, until the next is no longer waited for. */
const pause = 120;

export interface Words {
  readonly text: string;
  /** The line was cut while they were spoken: their beginning comes with the fact. */
  readonly holed: boolean;
}

export class JobLog {
  readonly id: string;
  readonly facts: Fact[] = [];
  readonly head: Job;
  readonly #words = new Map<string, Words>();
  readonly #watchers = new Set<() => void>();
  #version = 0;
  #told = 0;
  #timer: ReturnType<typeof setTimeout> | null = null;
  #openedAt = 0;
  #past: { count: number; job: Job } | null = null;

  constructor(id: string) {
    this.id = id;
    this.head = this.#empty();
  }

  add(shown: ShownFact): void {
    if (shown.seq <= this.head.seq) return;
    const fact = factOf(this.id, shown);
    this.facts.push(fact);
    foldFact(this.head, fact);
    for (const { type, body } of fact.items) if (type === 'step.settled') this.#words.delete(body.agent);
    this.#changed();
  }

  /** A line was opened at this time of the gateway; what was said before that is not heard again. Unix ms */
  opened(at: number): void {
    this.#openedAt = at;
  }

  /** Words of an agent; what comes late, behind the fact that holds it, is passed over. */
  hear(agent: string, text: string): void {
    const last = this.head.agents.get(agent)?.turns.at(-1);
    if (last?.reply?.text.includes(text)) return;
    const asked = last?.attempts.at(-1)?.requestedAt ?? this.#openedAt;
    const { text: before, holed } = this.#words.get(agent) ?? { text: '', holed: asked < this.#openedAt };
    this.#words.set(agent, { text: before + text, holed });
    this.#changed();
  }

  /** The line was cut: whatever is being said now has a hole. */
  cut(): void {
    for (const agent of this.head.agents.values())
      if (isSpeaking(agent)) this.#words.set(agent.id, { text: '', holed: true });
  }

  wordsOf(agent: string): Words | null {
    return this.#words.get(agent) ?? null;
  }

  /** The state after the first `count` facts. */
  at(count: number): Job {
    if (count >= this.facts.length) return this.head;
    if (this.#past === null || this.#past.count > count) this.#past = { count: 0, job: this.#empty() };
    const past = this.#past;
    for (const fact of this.facts.slice(past.count, count)) foldFact(past.job, fact);
    past.count = count;
    return past.job;
  }

  readonly subscribe = (watcher: () => void): (() => void) => {
    this.#watchers.add(watcher);
    return () => void this.#watchers.delete(watcher);
  };

  readonly version = (): number => this.#version;

  #empty(): Job {
    return emptyJob({ tenant: '', stream: this.id });
  }

  #changed(): void {
    if (this.#timer !== null) return;
    this.#timer = setTimeout(() => this.#due(), Math.max(0, this.#told + pace - performance.now()));
  }

  /** Presses go first: what came is told when they pause. */
  #due(): void {
    const now = performance.now();
    const wait = Math.min(lastPress() + pause, this.#told + patience) - now;
    if (wait > 0) this.#timer = setTimeout(() => this.#due(), wait);
    else this.#tell();
  }

  #tell(): void {
    this.#timer = null;
    this.#told = performance.now();
    this.#version += 1;
    for (const watcher of this.#watchers) watcher();
  }
}

/** Whether an agent's model is being asked right now. */
function isSpeaking(agent: Agent): boolean {
  const turn = agent.turns.at(-1);
  return turn !== undefined && turn.reply === null && turn.attempts.at(-1)?.settled === null;
}
