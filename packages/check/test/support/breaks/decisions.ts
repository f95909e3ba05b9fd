/** Decisions that stand on the wrong fold, and ends that are none. */
import type { Row } from './row.ts';

export const decisions: readonly Row[] = [
  [
    'shape',
    'a decision has another key than its basis',
    (log) => {
      const fact = log.find('decision.made');
      log.rename(fact, '7');
      return fact;
    },
  ],
  [
    'basis',
    'a worker stands on what came after it',
    (log) => {
      const fact = log.find('tool.settled', 'a2-1-1-1');
      fact.headers.set('loom-basis', String(fact.seq));
      return fact;
    },
  ],
  [
    'fence',
    'a decision stands on a fold that the orchestrator has moved on from',
    (log) => {
      const fact = log.find('budget.changed');
      fact.headers.set('loom-basis', String(log.find('tool.settled', 'a2-1-1-1').seq));
      return fact;
    },
  ],
  [
    'chain',
    'a decision was taken on other facts than the log holds',
    (log) => {
      const fact = log.find('job.completed');
      fact.keeps = 'loom-chain';
      fact.headers.set('loom-chain', '00'.repeat(32));
      return fact;
    },
  ],
  [
    'dispatch',
    'a dispatch carries other bytes than its decision',
    (log) => {
      const fact = log.find('tool.requested', 'a2-1-1-1');
      log.edit(fact, (wire) => ({ ...wire, deadline_ms: 1 }));
      return fact;
    },
  ],
  [
    'dispatch',
    'a dispatch names a decision that does not hold it',
    (log) => {
      const fact = log.find('tool.requested', 'a2-1-1-1');
      const moved = log.insert(fact, fact);
      log.rename(moved, 'a2-1-3-1');
      return moved;
    },
  ],
  [
    'dispatched',
    'a decided request never went out',
    (log) => {
      const gone = log.find('tool.requested', 'a2-1-1-1');
      log.remove(gone);
      const decision = gone.headers.get('loom-decision');
      return log.facts.find(({ seq }) => String(seq) === decision) ?? gone;
    },
  ],
  [
    'epoch',
    'work is asked for under an epoch that has not come',
    (log) => {
      const fact = log.find('step.requested', 'a2-2-1');
      log.edit(fact, (wire) => ({ ...wire, epoch: 1 }));
      return fact;
    },
  ],
  [
    'all-settled',
    'the job ends with a slot open',
    (log) => {
      const open = log.insertDecision(log.find('artifact.written'), log.find('tool.requested', 'a3-1-0-1'));
      log.rename(open, 'a3-1-1-1');
      log.edit(open, (wire) => ({ ...wire, call: 1 }));
      return log.find('job.completed');
    },
  ],
  [
    'one-end',
    'the job ends twice',
    (log) => {
      const end = log.find('job.completed');
      const again = log.insertDecision(end, end);
      log.rename(again, '1');
      return again;
    },
  ],
  [
    'last-word',
    'the orchestrator goes on after the end',
    (log) => {
      const late = log.insertDecision(log.find('job.completed'), log.find('budget.changed'));
      log.rename(late, 'b2');
      return late;
    },
  ],
  [
    'ends',
    'the job does not end',
    (log) => {
      log.remove(log.find('job.completed'));
      return log.find('agent.finished', 'a3');
    },
  ],
];
