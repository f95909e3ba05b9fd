/** Work that is asked for, claimed, settled or paid as it must not be. */
import { encodeWire } from '@loom/schemas';
import type { Row } from './row.ts';
import type { Copy } from '../tamper.ts';

const spentMore = (log: Copy, micros: number): void =>
  log.edit(log.find('job.completed'), (wire) => ({ ...wire, spent_micros: (wire['spent_micros'] as number) + micros }));

export const work: readonly Row[] = [
  [
    'one-outcome',
    'a slot is settled under two subjects of one worker',
    (log) => {
      const first = log.find('tool.settled', 'a2-1-1-1');
      const second = log.insert(first, first);
      log.rename(second, 'a2-1-1-1-failed');
      log.edit(second, (wire) => ({ ...wire, outcome: 'failed' }));
      return second;
    },
  ],
  [
    'one-outcome',
    'a slot is settled by two workers',
    (log) => {
      const first = log.find('tool.settled', 'a2-1-1-1');
      const second = log.insert(first, first);
      log.rename(second, 'a2-1-1-1', 'sandbox');
      return second;
    },
  ],
  [
    'one-outcome',
    'the wrong worker settles',
    (log) => {
      const fact = log.find('tool.settled', 'a2-1-1-1');
      log.rename(fact, 'a2-1-1-1', 'sandbox');
      return fact;
    },
  ],
  [
    'asked-first',
    'a workspace is closed that nobody opened',
    (log) => {
      const fact = log.insert(log.find('workspace.closed'), log.find('workspace.closed'));
      log.rename(fact, 'a2-1-4-1');
      log.edit(fact, (wire) => ({ ...wire, call: 'a2-1-4-1' }));
      return fact;
    },
  ],
  [
    'asked-first',
    'an attempt is claimed that nobody asked for',
    (log) => {
      const fact = log.insert(log.find('step.claimed', 'a3-1-1'), log.find('step.claimed', 'a3-1-1'));
      log.rename(fact, 'a4-1-1');
      return fact;
    },
  ],
  [
    'join',
    'an agent begins before one that it waits for has ended',
    (log) => {
      const plan = log.holding('a1-1-1');
      log.editItem(plan, 'a1', (wire) => ({ ...wire, needs: ['a2'] }));
      return plan;
    },
  ],
  [
    'one-request',
    'a call is placed a second time',
    (log) => {
      const again = log.insertDecision(log.find('artifact.written'), log.find('artifact.written'));
      const refused = { agent: 'a2', step: 1, call: 1, tool: 'some', code: 'some', reason: Buffer.alloc(32) };
      log.retype(again, 'tool.refused', 'a2-1-1-1', encodeWire('tool.refused', refused));
      return again;
    },
  ],
  [
    'one-request',
    'an attempt begins while the one before has no outcome',
    (log) => {
      const lost = log.find('step.settled', 'a1-1-1');
      const next = log.find('step.requested', 'a1-1-2');
      log.remove(lost);
      log.insert(next, lost);
      return next;
    },
  ],
  [
    'claimed-first',
    'a paid answer was never claimed',
    (log) => {
      log.remove(log.find('step.claimed', 'a2-2-1'));
      return log.find('step.settled', 'a2-2-1');
    },
  ],
  [
    'claimed-first',
    'two workers claim one slot',
    (log) => {
      const asked = log.find('run.requested');
      const [first, second] = [
        log.insert(asked, log.find('step.claimed')),
        log.insert(asked, log.find('step.claimed')),
      ];
      for (const claim of [first, second])
        log.retype(claim, 'tool.claimed', 'a2-1-0-1', encodeWire('tool.claimed', { worker: 'w1' }));
      log.rename(first, 'a2-1-0-1', 'sandbox');
      return second;
    },
  ],
  [
    'cap',
    'the cap was lower than what was reserved',
    (log) => {
      log.editItem(log.find('decision.made'), '0', (wire) => ({ ...wire, budget_micros: 10 }));
      return log.find('step.requested', 'a0-1-1');
    },
  ],
  [
    'cap',
    'the cap is lowered below what is settled',
    (log) => {
      const fact = log.find('budget.changed');
      log.edit(fact, (wire) => ({ ...wire, budget_micros: 100 }));
      return fact;
    },
  ],
  [
    'cost',
    'a call that lost its slot cost more than it reserved',
    (log) => {
      const fact = log.find('model.called');
      log.edit(fact, (wire) => ({ ...wire, cost_micros: 900_000 }));
      return fact;
    },
  ],
  [
    'cost',
    'an attempt cost more than it reserved',
    (log) => {
      const fact = log.find('step.settled', 'a2-2-1');
      log.edit(fact, (wire) => ({ ...wire, cost_micros: 100_040 }));
      spentMore(log, 100_000);
      return fact;
    },
  ],
  [
    'cost',
    'a lost attempt costs less than it reserved',
    (log) => {
      const fact = log.find('step.settled', 'a1-1-1');
      log.edit(fact, (wire) => ({ ...wire, cost_micros: (wire['cost_micros'] as number) - 1 }));
      spentMore(log, -1);
      return fact;
    },
  ],
  [
    'spent',
    'the job says that it spent more',
    (log) => {
      spentMore(log, 1);
      return log.find('job.completed');
    },
  ],
];
