/** The opened facts of one job, each decision and each input of an effect made again of the facts before it. */
import { conversation, emptyJob, evolve, momentOf, TEMPLATES, TOOLSET } from '@loom/job';
import type { Job } from '@loom/job';
import type { Address, Fact, Item } from '@loom/log';
import { Basis } from './basis.ts';
import { difference, foldsDecision, subjectFor } from './rederive.ts';
import type { Broken, Decide } from './rederive.ts';

type StepSettled = Extract<Item, { type: 'step.settled' }>;
type ToolSettled = Extract<Item, { type: 'tool.settled' }>;
export type ToolAsked = Extract<Item, { type: 'tool.requested' | 'run.requested' }>;
export type ModelAsked = ReturnType<typeof conversation>;

/** What makes things again; it calls no model and runs no tool. */
export interface Maker {
  /** Version of the decider that `decide` asks. */
  readonly decider: string;
  /** The running decider, whichever version decided. */
  readonly decide: Decide;
  /** HMAC of what the provider would be sent; null for a provider that is not known here. */
  readonly request: (provider: string, asked: ModelAsked) => Promise<Buffer | null>;
  /** HMAC of what the tool would be given. */
  readonly input: (asked: ToolAsked) => Promise<Buffer>;
}

export interface Made {
  /** Decisions of the running version, which came out byte for byte; and those of others, which were a shadow run. */
  readonly decisions: number;
  readonly shadowed: number;
  /** Decisions on input that nobody recorded, and requests to providers that are not known here. */
  readonly unasked: number;
  /** Model requests and tool inputs whose HMAC is the one on record. */
  readonly requests: number;
  readonly inputs: number;
  /** What the newest would do otherwise, and changed templates, each at its fact. */
  readonly remarks: readonly Broken[];
}

export const nothingMade: Made = { decisions: 0, shadowed: 0, unasked: 0, requests: 0, inputs: 0, remarks: [] };

/** Owns two folds: one at the basis of the decision at hand, one up to the fact at hand. */
export class Walk {
  readonly made = { ...nothingMade, remarks: [] as Broken[] };
  readonly #maker: Maker;
  readonly #basis: Basis;
  readonly #now: Job;
  readonly #asked = new Map<string, ToolAsked>();

  constructor(at: Address, maker: Maker) {
    this.#maker = maker;
    this.#basis = new Basis(at);
    this.#now = emptyJob(at);
  }

  /** The next fact, and the version of the decider that it names; told when it comes out otherwise. */
  async see(fact: Fact, decider: string): Promise<Broken | null> {
    let message = foldsDecision(fact) ? this.#decision(fact, decider) : null;
    for (const item of fact.items) message ??= await this.#item(fact, item);
    evolve(this.#now, fact);
    this.#basis.add(fact);
    return message === null ? null : { seq: fact.seq, subject: subjectFor(fact), message };
  }

  #decision(fact: Fact, decider: string): string | null {
    const derived = this.#maker.decide(this.#basis.of(fact), fact.items);
    if (derived === null) return this.#count('unasked');
    const message = difference(derived, fact.items);
    if (!this.#isCurrent(fact, decider)) return this.#count('shadowed') ?? this.#remark(fact, message);
    return message ?? this.#count('decisions');
  }

  /** Whether the decision is the running version's, made with the templates and tools of today, whose size it reserves for. */
  #isCurrent({ items }: Fact, decider: string): boolean {
    const taken = items.find((item) => item.type === 'job.accepted')?.body;
    const accepted = this.#basis.job.accepted ?? taken;
    const same = !accepted || (accepted.templates === TEMPLATES && accepted.toolset === TOOLSET);
    return same && decider === this.#maker.decider;
  }

  #item(fact: Fact, item: Item): Promise<string | null> | null {
    if (item.type === 'tool.requested' || item.type === 'run.requested') this.#asked.set(item.key, item);
    if (item.type === 'step.settled') return this.#request(fact, item);
    return item.type === 'tool.settled' ? this.#input(item) : null;
  }

  async #request(fact: Fact, { key, body }: StepSettled): Promise<string | null> {
    if (body.request_hmac.length === 0) return null;
    const attempt = this.#now.attempts.get(key);
    if (attempt === undefined) return 'nobody asked for this step';
    const asked = conversation(this.#now, momentOf(this.#now, attempt));
    const made = await this.#maker.request(body.provider, asked);
    if (made === null)
      return this.#count('unasked') ?? this.#remark(fact, `no provider ${body.provider} is known here`);
    if (made.equals(body.request_hmac)) return this.#count('requests');
    const changed = changedSince(body);
    if (changed !== null)
      return this.#remark(fact, `${changed}, so step ${key} cannot be asked again in the same words`);
    return `the model request of step ${key}, made again of the facts, is not the one that was sent`;
  }

  async #input({ key, body }: ToolSettled): Promise<string | null> {
    if (body.input_hmac.length === 0) return null;
    const asked = this.#asked.get(key);
    if (asked === undefined) return 'nobody asked for this call';
    if ((await this.#maker.input(asked)).equals(body.input_hmac)) return this.#count('inputs');
    return `the input of call ${key}, made again of the facts, is not the one that the tool was given`;
  }

  #count(what: 'decisions' | 'shadowed' | 'unasked' | 'requests' | 'inputs'): null {
    this.made[what] += 1;
    return null;
  }

  #remark(fact: Fact, message: string | null): null {
    if (message !== null) this.made.remarks.push({ seq: fact.seq, subject: subjectFor(fact), message });
    return null;
  }
}

function changedSince({ templates, toolset }: StepSettled['body']): string | null {
  const changes = [
    ...(templates === TEMPLATES ? [] : [`the prompt templates changed (${templates || 'none'} → ${TEMPLATES})`]),
    ...(toolset === TOOLSET ? [] : [`the tool set changed (${toolset || 'none'} → ${TOOLSET})`]),
  ];
  return changes.length === 0 ? null : changes.join(' and ');
}
