/** The person who wrote the brief: submits, answers, changes their mind. All of it goes through a gateway's log, some of it twice. */
import type { Random } from '@loom/chaos';
import { parseRaw } from '@loom/log';
import type { Draft, Log, RawItem } from '@loom/log';
import type { Bodies } from '@loom/schemas';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Held } from './server/stream.ts';
import { at } from './terms.ts';
import { inHost } from './timeline.ts';
import type { Host } from './timeline.ts';

const request = { action: 'POST /v1/jobs', target: '', person: 'user_1', ip: '', user_agent: '' };

export class Person {
  readonly #host: Host;
  readonly #log: Log;
  readonly #random: Random;
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
    inHost(
      this.#host,
      () =>
        void this.#press(0, { type: 'job.submitted', key: '0', body: { ...brief, budget_micros } }).then(() =>
          this.#interfere(),
        ),
    );
  }

  #interfere(): void {
    const random = this.#random;
    const when = (): number => 200 + random.below(12_000);
    if (random.chance(0.08)) this.#act(when(), { type: 'job.cancel-requested', key: '0', body: { request } });
    if (random.chance(0.1)) this.#act(when(), kill('0'));
    if (random.chance(0.2)) this.#act(when(), this.#message(null));
    if (random.chance(0.2)) this.#act(when(), this.#budget(20_000 + random.below(300_000)));
  }

  /** Sees a fact on the page. */
  see({ subject, seq, time, pairs, body }: Held): void {
    const { items } = parseRaw({ stream: '', seq, time, subject, headers: pairs, body });
    for (const item of items) this.#react(item);
  }

  #react(item: RawItem): void {
    const later = 50 + this.#random.below(4_000);
    if (item.type === 'step.requested' && this.#random.chance(0.03)) this.#act(later / 8, kill('0'));
    if (item.type === 'agent.spawned' && this.#random.chance(0.04)) this.#act(later, kill(item.key));
    if (item.type === 'input.requested') this.#act(later, this.#message(item.key));
    if (item.type !== 'budget.exhausted') return;
    if (this.#random.chance(0.15)) this.#act(later, { type: 'job.cancel-requested', key: '0', body: { request } });
    else this.#act(later, this.#budget(item.body.needed_micros + this.#random.below(200_000)));
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
  #act(afterMs: number, draft: Draft): void {
    const times = this.#random.chance(0.1) ? 2 : 1;
    for (let press = 0; press < times; press += 1)
      inHost(this.#host, () => void this.#press(afterMs + press * 20, draft));
  }

  async #press(afterMs: number, draft: Draft): Promise<void> {
    await sleep(afterMs);
    while (
      !(await this.#log.append(at, draft).then(
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

const kill = (key: string): Draft => ({
  type: 'job.kill-requested',
  key,
  body: { agent: key === '0' ? null : key, request },
});
