/**
 * The person who wrote the brief: submits, answers, changes their mind, and forks the job from any of its facts. All of it goes through a
 * gateway's log, some of it twice.
 */
import type { Random } from '@loom/chaos';
import { replayOf } from '@loom/job';
import type { Address, Draft, Log, ParsedFact, RawItem } from '@loom/log';
import type { Bodies } from '@loom/schemas';
import { setTimeout as sleep } from 'node:timers/promises';
import { endIn } from './facts.ts';
import { at, forkAt } from './terms.ts';
import { inHost } from './timeline.ts';
import type { Host } from './timeline.ts';

const request = { action: 'POST /v1/jobs', target: '', person: 'user_1', ip: '', user_agent: '' };

/** A job that the person looks after. */
interface Mine {
  readonly at: Address;
  readonly mode: Bodies['job.submitted']['mode'];
}

const first: Mine = { at, mode: null };

export class Person {
  readonly #host: Host;
  readonly #log: Log;
  readonly #random: Random;
  /** Sequences of the first job's facts. */
  readonly #seqs: number[] = [];
  #fork: Mine | null = null;
  #said = 0;

  constructor(host: Host, log: Log, random: Random) {
    this.#host = host;
    this.#log = log;
    this.#random = random;
  }

  /** The brief, and whatever else comes to mind while the job runs. */
  begin(): void {
    const random = this.#random;
    const budget_micros = random.chance(0.5) ? 40_000 + random.below(120_000) : null;
    inHost(this.#host, () => void this.#press(first, 0, submission({ budget_micros })).then(() => this.#interfere()));
  }

  #interfere(): void {
    const random = this.#random;
    const when = (): number => 200 + random.below(12_000);
    if (random.chance(0.08)) this.#act(first, when(), cancel);
    if (random.chance(0.1)) this.#act(first, when(), kill('0'));
    if (random.chance(0.2)) this.#act(first, when(), this.#message(null));
    if (random.chance(0.2)) this.#act(first, when(), this.#budget(20_000 + random.below(300_000)));
  }

  /** Sees a fact on the page. A playback is only looked at. */
  see({ seq, stream, items }: ParsedFact): void {
    const mine = stream === at.stream ? first : this.#fork;
    if (mine === first) this.#seqs.push(seq);
    if (mine === null || mine.mode === 'playback') return;
    for (const item of items) this.#react(mine, item);
    if (endIn({ items }) !== null && this.#fork === null && this.#random.chance(0.3)) this.#forkIt();
  }

  #react(mine: Mine, item: RawItem): void {
    const random = this.#random;
    const later = 50 + random.below(4_000);
    if (item.type === 'step.requested' && random.chance(0.03)) this.#act(mine, later / 8, kill('0'));
    if (item.type === 'agent.spawned' && random.chance(0.04)) this.#act(mine, later, kill(item.key));
    if (item.type === 'input.requested') this.#act(mine, later, this.#message(item.key));
    if (item.type !== 'budget.exhausted') return;
    if (random.chance(0.15)) this.#act(mine, later, cancel);
    else this.#act(mine, later, this.#budget(item.body.needed_micros + random.below(200_000)));
  }

  #forkIt(): void {
    const mode = this.#random.chance(0.5) ? 'playback' : 'reexecute';
    const from_seq = this.#seqs[this.#random.below(this.#seqs.length)]!;
    this.#fork = { at: forkAt, mode };
    this.#act(this.#fork, 50 + this.#random.below(4_000), submission({ forked_from: at.stream, from_seq, mode }));
  }

  #message = (in_reply_to: string | null): Draft => ({
    type: 'message.posted',
    key: `m${++this.#said}`,
    body: { text: 'This one.', in_reply_to, request },
  });

  #budget = (budget_micros: number): Draft => ({
    type: 'job.budget-requested',
    key: `b${++this.#said}`,
    body: { budget_micros, request },
  });

  /** Presses until it is on record; one in ten presses twice. */
  #act(mine: Mine, afterMs: number, draft: Draft): void {
    const times = this.#random.chance(0.1) ? 2 : 1;
    for (let press = 0; press < times; press += 1)
      inHost(this.#host, () => void this.#press(mine, afterMs + press * 20, draft));
  }

  async #press({ at: to, mode }: Mine, afterMs: number, draft: Draft): Promise<void> {
    const replay = replayOf({ submitted: { ...brief, mode } });
    await sleep(afterMs);
    while (
      !(await this.#log.append(to, draft, { replay }).then(
        () => true,
        () => false,
      ))
    )
      await sleep(200);
  }
}

const brief: Bodies['job.submitted'] = {
  brief: 'Compare the files.',
  attachments: [],
  metadata: {},
  engagement: 'default',
  owner: 'user_1',
  budget_micros: null,
  models: {},
  follows: null,
  forked_from: null,
  from_seq: null,
  mode: null,
  tightened: {},
  request,
};

const submission = (more: Partial<Bodies['job.submitted']>): Draft => ({
  type: 'job.submitted',
  key: '0',
  body: { ...brief, ...more },
});

const cancel: Draft = { type: 'job.cancel-requested', key: '0', body: { request } };

const kill = (key: string): Draft => ({
  type: 'job.kill-requested',
  key,
  body: { agent: key === '0' ? null : key, request },
});
