/** Invariant 4: an agent begins when all that it waits for have ended. */
import { firstOf } from './rule.ts';
import type { Rule } from './rule.ts';

export const join: Rule = {
  name: 'join',
  invariant: 4,
  promise: 'An agent is asked for its first step when every agent that it waits for has ended.',
  watch: () => {
    const needs = new Map<string, readonly string[]>();
    /** With those that a fork took over: that they had ended is not told in clear. */
    const ended = new Set<string>();
    return {
      see: ({ fact }) =>
        firstOf(fact.items, (item) => {
          if (item.type === 'agent.spawned') needs.set(item.key, item.body.needs);
          if (item.type === 'agent.finished') ended.add(item.key);
          if (item.type === 'job.forked') for (const { agent } of item.body.agents) ended.add(agent);
          if (item.type !== 'step.requested' || item.body.step > 1) return null;
          const waiting = needs.get(item.body.agent)?.find((other) => !ended.has(other));
          return waiting === undefined ? null : `${item.body.agent} begins, ${waiting} has not ended`;
        }),
    };
  },
};
