/** Invariants 2 and 5: a fact is there once, whole, and by who may write it. */
import type { Source } from '@loom/log';
import type { FactType } from '@loom/schemas';
import type { Known, Rule } from './rule.ts';

export const oneSubject: Rule = {
  name: 'one-subject',
  invariant: 2,
  promise: 'No fact is there twice: each has a subject of its own.',
  watch: () => once(({ subject }) => subject, 'its subject'),
};

export const oneId: Rule = {
  name: 'one-id',
  invariant: 2,
  promise: 'No two facts have the same ce-id, and none lacks it.',
  watch: () => {
    const { see } = once(({ fact }) => fact.id, 'its ce-id');
    return { see: (entry) => (entry.fact.id === '' ? 'it has no ce-id' : see(entry)) };
  },
};

function once(nameOf: (entry: Known) => string, what: string) {
  const seen = new Map<string, number>();
  return {
    see: (entry: Known): string | null => {
      const before = seen.get(nameOf(entry));
      seen.set(nameOf(entry), before ?? entry.seq);
      return before === undefined ? null : `${what} was there at ${before} already`;
    },
  };
}

export const wholeSum: Rule = {
  name: 'sum',
  invariant: 2,
  promise: 'loom-sum is the SHA-256 of what is stored.',
  watch: () => ({ see: ({ sumHolds }) => (sumHolds ? null : 'it does not have its sum') }),
};

export const headersAgree: Rule = {
  name: 'headers',
  invariant: 2,
  promise: 'ce-type and ce-subject say what the subject says.',
  watch: () => ({
    see: ({ fact: { tenant, stream, type, key, ceType, ceSubject } }) => {
      if (ceType !== `loom.${type}`) return `ce-type is ${JSON.stringify(ceType)}`;
      return ceSubject === `${tenant}/${stream}/${type}/${key}` ? null : `ce-subject is ${JSON.stringify(ceSubject)}`;
    },
  }),
};

const workers: readonly Source[] = ['agent-runner', 'sandbox'];
const decider: readonly Source[] = ['orchestrator'];
const edge: readonly Source[] = ['gateway'];

/** Whose act each fact is; null: anybody's. */
const sourcesOf: Readonly<Record<FactType, readonly Source[] | null>> = {
  'job.submitted': edge,
  'message.posted': edge,
  'job.cancel-requested': edge,
  'job.kill-requested': edge,
  'job.budget-requested': edge,
  'account.opened': edge,
  'session.opened': edge,
  'request.recorded': ['gateway', 'operator'],
  'decision.made': decider,
  'job.forked': decider,
  'record.replayed': decider,
  'job.accepted': decider,
  'job.refused': decider,
  'job.completed': decider,
  'job.failed': decider,
  'job.cancelled': decider,
  'agent.spawned': decider,
  'agent.finished': decider,
  'step.requested': decider,
  'tool.requested': decider,
  'run.requested': decider,
  'tool.refused': decider,
  'artifact.written': decider,
  'input.requested': decider,
  'budget.changed': decider,
  'budget.exhausted': decider,
  'epoch.raised': decider,
  'step.claimed': ['agent-runner'],
  'step.settled': ['agent-runner'],
  'step.resolved': ['operator'],
  'model.called': ['agent-runner'],
  'tool.claimed': workers,
  'tool.settled': workers,
  'tool.called': ['sandbox'],
  'workspace.closed': ['sandbox'],
  'timer.fired': ['timer'],
  'suite.ran': ['evals'],
  'content.shredded': ['retention'],
  'artifact.expired': ['retention'],
  'message.parked': null,
  'message.redriven': ['operator'],
  'message.dropped': ['operator'],
};

export const ownSource: Rule = {
  name: 'own-source',
  invariant: 5,
  promise:
    'Others ask, the decider moves: each fact is under its own source, and only lost slots and timers are written for another.',
  watch: () => ({
    see: (entry) => {
      const { type, source, writer, items } = entry.fact;
      if (sourcesOf[type]?.includes(source) === false) return `${type} is not ${source}'s to say`;
      const foreign = items.find((item) => item.type !== type && sourcesOf[item.type]?.includes(source) === false);
      if (foreign !== undefined) return `${foreign.type} is not ${source}'s to say`;
      return writer === source || mayStandIn(entry) ? null : `${writer} wrote under ${source}`;
    },
  }),
};

/** The orchestrator alone writes under another's source: timers, and outcomes that nobody else will bring. */
function mayStandIn({ fact: { writer, source, said } }: Known): boolean {
  if (writer !== 'orchestrator') return false;
  if (source === 'timer') return true;
  return (said?.type === 'step.settled' || said?.type === 'tool.settled') && said.body.outcome === 'lost';
}

export const begins: Rule = {
  name: 'begins',
  invariant: 2,
  promise: 'A job begins with job.submitted, and is submitted once.',
  watch: () => {
    let facts = 0;
    return {
      see: ({ fact: { type } }) => {
        facts += 1;
        if (facts === 1) return type === 'job.submitted' ? null : `the first fact of the job is ${type}`;
        return type === 'job.submitted' ? 'the job was submitted before' : null;
      },
    };
  },
};
