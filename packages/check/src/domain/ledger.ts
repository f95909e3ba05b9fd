/** Invariant 6 from outside: what providers and the engine say that they did, beside what the log says. */
import type { RawItem } from '@loom/log';
import type { Finding } from './check.ts';
import type { Known } from './rule.ts';

/** A model call as the provider saw it. */
export interface PaidCall {
  readonly requestId: string;
  /** Of the HTTP answer; only a 200 is paid for. */
  readonly status: number;
  readonly asked: { readonly model: string } | null;
  readonly tokensIn: number;
  readonly tokensOut: number;
}

/** A run as the engine saw it. */
export interface EngineRun {
  readonly job: string;
  /** Key of the tool call. */
  readonly call: string;
}

/** Books that were kept outside of Loom; absent ones are not held against the log. */
export interface Ledgers {
  readonly models?: readonly PaidCall[];
  readonly runs?: readonly EngineRun[];
}

/** Calls whose work was thrown away or done again. */
export interface Waste {
  readonly models: number;
  readonly runs: number;
}

interface Recorded {
  readonly at: Where;
  readonly completed: boolean;
  readonly tokensIn: number;
  readonly tokensOut: number;
}

interface Attempt {
  readonly model: string;
  claimed: boolean;
  settled: boolean;
}

type Where = Omit<Finding, 'rule' | 'invariant' | 'message'>;

/** Owns what the facts of all jobs say about paid calls and runs, until it is compared with the ledgers. */
export class Accounts {
  readonly #calls = new Map<string, Recorded>();
  /** Models of attempts that may have cost a call whose id nobody learnt, by slot: a claim lets one call an attempt be made. */
  readonly #unknown = new Map<string, string>();
  readonly #attempts = new Map<string, Attempt>();
  readonly #runs = new Map<string, { readonly at: Where; ran: boolean }>();
  readonly #findings: Finding[] = [];
  #thrownAway = 0;

  /** A playback repeats what another job's call is on record for: a call or run made for it all the same is one that nobody asked for. */
  see(entry: Known): void {
    if (entry.fact.replay === 'playback') return;
    const { tenant, stream: job } = entry.fact;
    const at = { tenant, job, stream: entry.stream, seq: entry.seq, subject: entry.subject };
    for (const item of entry.fact.items) {
      this.#seeStep(at, item);
      this.#seeRun(at, item);
    }
  }

  #seeStep(at: Where, item: RawItem): void {
    const slot = `${at.job} ${item.key}`;
    const attempt = this.#attempts.get(slot);
    if (item.type === 'step.requested')
      this.#attempts.set(slot, { model: item.body.model, claimed: item.body.reserved_micros === 0, settled: false });
    if (item.type === 'step.claimed' && attempt !== undefined) attempt.claimed = true;
    if (item.type === 'model.called') this.#wasted(at, item);
    if (item.type === 'step.settled' && attempt !== undefined && !attempt.settled) {
      attempt.settled = true;
      this.#settled(at, item, attempt);
    }
  }

  #wasted(at: Where, { body }: Extract<RawItem, { type: 'model.called' }>): void {
    this.#thrownAway += 1;
    const { slot, model, provider_request_id: id, tokens_in: tokensIn, tokens_out: tokensOut } = body;
    this.#unknown.delete(`${at.job} ${slot}`);
    if (id === null) this.#unknown.set(`${at.job} ${slot}`, model);
    else this.#record(at, id, { completed: false, tokensIn, tokensOut });
  }

  #settled(at: Where, { key, body }: Extract<RawItem, { type: 'step.settled' }>, attempt: Attempt): void {
    const { outcome, provider_request_id: id, tokens_in: tokensIn, tokens_out: tokensOut } = body;
    const mayHavePaid = body.request_hmac.length > 0 || (outcome === 'lost' && attempt.claimed);
    if (id !== null) this.#record(at, id, { completed: outcome === 'completed', tokensIn, tokensOut });
    else if (mayHavePaid) this.#unknown.set(`${at.job} ${key}`, attempt.model);
  }

  #record(at: Where, id: string, said: Omit<Recorded, 'at'>): void {
    const before = this.#calls.get(id);
    if (before === undefined) this.#calls.set(id, { at, ...said });
    else
      this.#find(
        'paid-call',
        at,
        `the provider's call ${id} is on record at ${before.at.stream} ${before.at.seq} already`,
      );
  }

  #seeRun(at: Where, item: RawItem): void {
    if (item.type === 'run.requested') this.#runs.set(`${at.job} ${item.key}`, { at, ran: false });
    const run = this.#runs.get(`${at.job} ${item.key}`);
    if (item.type === 'tool.settled' && run !== undefined) run.ran = item.body.exit_code !== null;
  }

  #find(rule: string, at: Where, message: string): void {
    this.#findings.push({ rule, invariant: 6, ...at, message });
  }

  /** Compares. `open`: attempts without outcome may have cost a call; `kills`: how many calls and runs may have been repeated. */
  settle(
    ledgers: Ledgers,
    open: boolean,
    kills: number | Waste | undefined,
  ): { findings: readonly Finding[]; waste: Waste } {
    const models = ledgers.models === undefined ? 0 : this.#settleModels(ledgers.models, open);
    const runs = ledgers.runs === undefined ? 0 : this.#settleRuns(ledgers.runs);
    if (kills !== undefined) this.#limit({ models, runs }, kills);
    return { findings: this.#findings, waste: { models, runs } };
  }

  /** At most one repeated call or run a kill. */
  #limit({ models, runs }: Waste, kills: number | Waste): void {
    const find = (what: string): void => this.#find('waste', nowhere('waste'), what);
    if (typeof kills === 'number') {
      if (models + runs > kills) find(`${models} model calls and ${runs} runs were repeated over ${kills} kills`);
      return;
    }
    if (models > kills.models) find(`${models} model calls were repeated, ${kills.models} may have been`);
    if (runs > kills.runs) find(`${runs} runs were repeated, ${kills.runs} may have been`);
  }

  /** How many paid calls came to nothing. */
  #settleModels(calls: readonly PaidCall[], open: boolean): number {
    if (open) this.#coverOpen();
    const paid = new Map(calls.filter(({ status }) => status === 200).map((call) => [call.requestId, call]));
    const unrecorded = [...paid.values()].filter((call) => !this.#calls.has(call.requestId));
    for (const { requestId, asked } of unrecorded)
      if (!this.#uncover(asked?.model ?? ''))
        this.#find('paid-call', nowhere(requestId), `the paid call ${requestId} is not on record, nor lost`);
    for (const [id, said] of this.#calls) this.#compare(id, paid.get(id), said);
    return unrecorded.length + this.#thrownAway;
  }

  #coverOpen(): void {
    for (const [slot, { model, claimed, settled }] of this.#attempts)
      if (claimed && !settled) this.#unknown.set(slot, model);
  }

  /** Takes one attempt of the model whose call is not known by its id. */
  #uncover(model: string): boolean {
    const [slot] = [...this.#unknown].find(([, other]) => other === model) ?? [];
    return slot !== undefined && this.#unknown.delete(slot);
  }

  #compare(id: string, call: PaidCall | undefined, said: Recorded): void {
    if (!said.completed) return;
    if (call === undefined) return this.#find('paid-call', said.at, `the provider knows of no call ${id}`);
    if (said.tokensIn === call.tokensIn && said.tokensOut === call.tokensOut) return;
    const told = `${said.tokensIn} tokens in and ${said.tokensOut} out`;
    this.#find(
      'paid-call',
      said.at,
      `it says ${told}, the provider's ${id} had ${call.tokensIn} and ${call.tokensOut}`,
    );
  }

  #settleRuns(runs: readonly EngineRun[]): number {
    const counts = new Map<string, number>();
    for (const { job, call } of runs) counts.set(`${job} ${call}`, (counts.get(`${job} ${call}`) ?? 0) + 1);
    for (const name of counts.keys())
      if (!this.#runs.has(name)) this.#find('run', nowhere(name), `the engine ran ${name}, which nobody asked for`);
    for (const [name, { at, ran }] of this.#runs)
      if (ran && !counts.has(name))
        this.#find('run', at, `it was settled with an exit code, but the engine knows of no run`);
    return [...counts.values()].reduce((sum, count) => sum + count - 1, 0);
  }
}

/** Of a finding that is about no fact. */
const nowhere = (what: string): Where => ({ tenant: '', job: '', stream: 'ledger', seq: 0, subject: what });
