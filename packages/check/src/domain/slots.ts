/** Invariants 2, 3 and 6: work is asked for once, claimed once, and comes out once. */
import type { RawItem, Source } from '@loom/log';
import { firstOf, isAsk, isOutcome, slotOf } from './rule.ts';
import type { Ask, Outcome, Rule } from './rule.ts';

export const oneOutcome: Rule = {
  name: 'one-outcome',
  invariant: 2,
  promise: 'A slot has one outcome, under one subject of the worker that was asked.',
  watch: () => {
    const workers = new Map<string, Source>();
    const settled = new Map<string, number>();
    return {
      see: ({ seq, fact: { source, items } }) =>
        firstOf(items, (item) => {
          if (isAsk(item)) workers.set(slotOf(item), item.type === 'run.requested' ? 'sandbox' : 'agent-runner');
          if (!isOutcome(item)) return null;
          const slot = slotOf(item);
          const before = settled.get(slot);
          settled.set(slot, before ?? seq);
          if (before !== undefined) return `${slot} was settled at ${before} already`;
          if (!slot.endsWith(` ${item.key}`)) return `${slot} is settled under the key ${item.key}`;
          return (workers.get(slot) ?? source) === source ? null : `${slot} is settled under ${source}`;
        }),
    };
  },
};

/** The slot that an item of a worker speaks of, null for none. */
function spokenOf(item: RawItem): string | null {
  if (isOutcome(item)) return slotOf(item);
  if (item.type === 'step.claimed') return `step ${item.key}`;
  if (item.type === 'tool.claimed') return `tool ${item.key}`;
  if (item.type === 'model.called') return `step ${item.body.slot}`;
  if (item.type === 'tool.called') return `tool ${item.body.slot}`;
  return item.type === 'workspace.closed' ? `tool ${item.body.call}` : null;
}

export const askedFirst: Rule = {
  name: 'asked-first',
  invariant: 5,
  promise: 'Nothing is claimed, run or settled that was not asked for.',
  watch: () => {
    const asked = new Set<string>();
    return {
      see: ({ fact }) =>
        firstOf(fact.items, (item) => {
          if (isAsk(item)) asked.add(slotOf(item));
          const slot = spokenOf(item);
          return slot === null || asked.has(slot) ? null : `nobody asked for ${slot}`;
        }),
    };
  },
};

/** Attempts of one step so far. */
interface Step {
  attempts: number;
  open: boolean;
  done: boolean;
}

export const oneRequest: Rule = {
  name: 'one-request',
  invariant: 3,
  promise:
    'No work is asked for twice: a step follows a completed one, an attempt a settled one, a call is placed once.',
  watch: () => {
    const steps = new Map<string, Step>();
    const placed = new Map<string, string>();
    return {
      see: ({ fact }) =>
        firstOf(fact.items, (item) => {
          if (item.type === 'job.forked') takeOver(steps, item.body);
          if (item.type === 'step.settled') settle(steps, item.body);
          return item.type === 'step.requested' ? nextStep(steps, item) : place(steps, placed, item);
        }),
    };
  },
};

const nameOf = ({ agent, step }: { readonly agent: string; readonly step: number }): string => `${agent}-${step}`;

/** Where the agents of a fork stand before it asks for anything. */
function takeOver(steps: Map<string, Step>, { agents }: Extract<RawItem, { type: 'job.forked' }>['body']): void {
  for (const { agent, steps: done, attempts } of agents) {
    if (done > 0) steps.set(nameOf({ agent, step: done }), { attempts: 1, open: false, done: true });
    if (attempts > 0) steps.set(nameOf({ agent, step: done + 1 }), { attempts, open: false, done: false });
  }
}

function settle(steps: Map<string, Step>, body: Extract<Outcome, { type: 'step.settled' }>['body']): void {
  const step = steps.get(nameOf(body));
  if (step === undefined || step.attempts !== body.attempt) return;
  step.open = false;
  step.done = body.outcome === 'completed';
}

function nextStep(steps: Map<string, Step>, { key, body }: Extract<Ask, { type: 'step.requested' }>): string | null {
  const name = nameOf(body);
  const step = steps.get(name);
  steps.set(name, { attempts: body.attempt, open: true, done: false });
  if (key !== `${name}-${body.attempt}`) return `step ${name}-${body.attempt} is asked for under the key ${key}`;
  if (body.attempt !== (step?.attempts ?? 0) + 1)
    return `attempt ${body.attempt} at step ${name} follows none before it`;
  if (step === undefined) return firstAttempt(steps, body);
  if (step.done) return `step ${name} is done already`;
  return step.open ? `attempt ${step.attempts} at step ${name} has no outcome yet` : null;
}

function firstAttempt(
  steps: ReadonlyMap<string, Step>,
  { agent, step }: { agent: string; step: number },
): string | null {
  const before = nameOf({ agent, step: step - 1 });
  return step === 1 || steps.get(before)?.done === true ? null : `step ${before} is not done`;
}

const placements: ReadonlySet<string> = new Set(['tool.requested', 'run.requested', 'tool.refused', 'input.requested']);

/** The call that an item places: with a worker, a person, a helper, or nowhere. */
function callOf(item: RawItem): string | null {
  if (item.type === 'agent.spawned') return item.body.call;
  return placements.has(item.type) ? item.key : null;
}

function place(steps: ReadonlyMap<string, Step>, placed: Map<string, string>, item: RawItem): string | null {
  const call = callOf(item);
  if (call === null) return null;
  const before = placed.get(call);
  placed.set(call, before ?? item.type);
  if (before !== undefined) return `call ${call} is placed by a ${before} already`;
  if (isAsk(item) && slotOf(item) !== `tool ${call}`) return `${slotOf(item)} is asked for under the key ${call}`;
  const step = call.split('-').slice(0, 2).join('-');
  return steps.get(step)?.done === true ? null : `step ${step}, whose call this is, is not done`;
}

/** A paid slot, and whether somebody claimed it. */
interface Paid {
  readonly reserved: number;
  claimed: number | null;
}

export const claimedFirst: Rule = {
  name: 'claimed-first',
  invariant: 6,
  promise: 'A slot is claimed once at most, and before anything is paid for it.',
  watch: () => {
    const slots = new Map<string, Paid>();
    return {
      see: ({ seq, fact }) =>
        firstOf(fact.items, (item) => {
          if (isAsk(item)) slots.set(slotOf(item), { reserved: item.body.reserved_micros, claimed: null });
          const slot = spokenOf(item);
          const paid = slot === null || fact.replay === 'playback' ? undefined : slots.get(slot);
          return paid === undefined ? null : claim(item, paid, `${slot}`, seq);
        }),
    };
  },
};

function claim(item: RawItem, paid: Paid, slot: string, seq: number): string | null {
  if (item.type === 'step.claimed' || item.type === 'tool.claimed') {
    const before = paid.claimed;
    paid.claimed ??= seq;
    return before === null ? null : `${slot} was claimed at ${before} already`;
  }
  const bare = paid.reserved > 0 && paid.claimed === null && tookEffect(item);
  return bare ? `${slot} costs money and was not claimed before` : null;
}

/** Whether the item says that something was really sent or run. */
function tookEffect(item: RawItem): boolean {
  if (item.type === 'step.settled') return item.body.outcome !== 'lost' && item.body.request_hmac.length > 0;
  if (item.type === 'tool.settled') return item.body.outcome === 'completed';
  return item.type === 'model.called' || item.type === 'tool.called' || item.type === 'workspace.closed';
}
