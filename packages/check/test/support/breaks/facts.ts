/** Facts that are there twice, damaged, or of the wrong hand. */
import type { Row } from './row.ts';

export const facts: readonly Row[] = [
  [
    'one-subject',
    'a fact is there a second time',
    (log) => log.insert(log.find('message.posted', 'm2'), log.find('message.posted', 'm1')),
  ],
  [
    'one-id',
    'two facts have one ce-id',
    (log) => {
      const second = log.find('message.posted', 'm2');
      second.headers.set('ce-id', log.find('message.posted', 'm1').headers.get('ce-id') ?? '');
      return second;
    },
  ],
  [
    'one-id',
    'a fact has no ce-id',
    (log) => {
      const fact = log.find('message.posted', 'm2');
      fact.headers.delete('ce-id');
      return fact;
    },
  ],
  [
    'replayed',
    'a fact of a job that is no fork says that it was served again',
    (log) => {
      const fact = log.find('message.posted', 'm1');
      fact.headers.set('loom-replay', 'playback');
      return fact;
    },
  ],
  [
    'sum',
    'one byte of a stored body was changed',
    (log) => {
      log.raw();
      const fact = log.find('message.posted', 'm1');
      fact.keeps = 'loom-sum';
      const body = Buffer.from(fact.body);
      body[body.length - 1] = (body.at(-1) ?? 0) ^ 1;
      fact.body = body;
      return fact;
    },
  ],
  [
    'readable',
    'a body is no Avro',
    (log) => {
      const fact = log.find('message.posted', 'm1');
      fact.body = Buffer.from('{"text":"hello"}');
      return fact;
    },
  ],
  [
    'readable',
    'a body is of another type than its subject',
    (log) => {
      const fact = log.find('message.posted', 'm1');
      fact.body = log.find('timer.fired').body;
      return fact;
    },
  ],
  [
    'headers',
    'ce-type says something else',
    (log) => {
      const fact = log.find('message.posted', 'm1');
      fact.headers.set('ce-type', 'loom.job.completed');
      return fact;
    },
  ],
  [
    'own-source',
    'billing writes in the name of the gateway',
    (log) => {
      const fact = log.find('message.posted', 'm1');
      fact.headers.set('ce-source', 'billing');
      return fact;
    },
  ],
  [
    'own-source',
    'the gateway moves the cap itself',
    (log) => {
      const fact = log.insert(log.find('budget.changed'), log.find('budget.changed'));
      for (const name of ['loom-chain', 'loom-decider']) fact.headers.delete(name);
      log.rename(fact, 'b2', 'gateway');
      return fact;
    },
  ],
  [
    'own-source',
    'the orchestrator settles a slot as completed',
    (log) => {
      const fact = log.find('tool.settled', 'a2-1-1-1');
      fact.headers.set('ce-source', 'orchestrator');
      return fact;
    },
  ],
  [
    'begins',
    'the job is submitted again',
    (log) => {
      const again = log.insert(log.find('message.posted', 'm1'), log.find('job.submitted'));
      log.rename(again, '1');
      return again;
    },
  ],
];
