/**
 * A free model that answers at once (a swarm's after its pause), and the decider that lets it go on: Loom's own, but for its patience with a planner
 * that hands in no plan. A reminded planner is the one loop in which a step is two facts, `step.requested` and `step.settled`.
 */
import { lastTurn, type Job } from '@loom/job';
import type { ModelPort, ModelReply, ModelRequest } from '@loom/models';
import { decide, stepRequest, type Decide } from '@loom/orchestrator';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Shape } from './protocol.ts';

const answer: Omit<ModelReply, 'model'> = {
  text: 'The figures of this step are looked through; nothing stands out, the next step may follow.',
  calls: [],
  usage: { input: 400, cached: 0, output: 20 },
  requestId: null,
  stopReason: 'end',
};

const calling = (name: string, args: object): typeof answer => ({
  ...answer,
  calls: [{ id: 'call_1', name, args: JSON.stringify(args) }],
  stopReason: 'tools',
});

const declined = calling('decline', { code: 'out_of_scope', reason: 'The benchmark is over.' });

const plan = (width: number): typeof answer =>
  calling('submit_plan', {
    agents: Array.from({ length: width }, (_, i) => ({ id: `w${i}`, role: 'worker', task: 'Answer at once.' })),
  });

function replyTo({ situation, messages }: ModelRequest, shape: Shape): typeof answer {
  const step = messages.filter(({ role }) => role === 'assistant').length + 1;
  if (shape.kind === 'pingpong') return step < shape.steps ? answer : declined;
  if (situation.kind === 'planner') return plan(shape.width);
  if (situation.kind === 'writer') return { ...answer, stopReason: 'refusal' };
  return shape.kind === 'swarm' && step < shape.steps ? calling('list_files', {}) : answer;
}

const ends = (reply: typeof answer): boolean => reply === declined || reply.stopReason === 'refusal';

/** @param ended called when the answer given is the last of its job */
export function instant(shape: Shape, ended: () => void): ModelPort {
  return {
    provider: 'offline',
    body: (request) => Buffer.from(JSON.stringify(request)),
    async call(request) {
      const reply = replyTo(request, shape);
      if (shape.kind === 'swarm') await sleep(Math.random() * shape.pause);
      if (ends(reply)) ended();
      return { ...reply, model: request.model };
    },
  };
}

export const patient: Decide = (job, intake) => {
  const decisions = decide(job, intake);
  const [only] = decisions;
  const ending = decisions.length === 1 && only?.type === 'agent.finished' && only.body.code === 'no_plan';
  return ending ? [nextStep(job)] : decisions;
};

function nextStep(job: Job): ReturnType<typeof stepRequest> {
  const agent = job.agents.get('a0')!;
  return stepRequest(job, { agent, step: (lastTurn(agent)?.n ?? 0) + 1, attempt: 1 });
}
