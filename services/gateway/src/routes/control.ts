import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { view } from '@loom/job';
import type { Job as Folded } from '@loom/job';
import type { Draft } from '@loom/log';
import { LoomError } from '@loom/service';
import type { FastifyRequest } from 'fastify';
import { Type } from 'typebox';
import { bell } from '../bell.ts';
import { requestBlock, spanned } from '../http/request.ts';
import { identity } from '../identity/authenticate.ts';
import { addressOf, jobOf, refuseEnded } from '../jobs.ts';
import { nameFor } from '../names.ts';
import type { Parts } from '../parts.ts';
import { isKnown, record } from '../record.ts';
import { Accepted, Budget, Job, JobPath, NoBody, problems } from './schemas.ts';

const AgentPath = Type.Object({
  id: Type.String(),
  agent: Type.String({ maxLength: 64, description: 'Agent id within the job.' }),
});

const asks = (summary: string) => ({
  tags: ['control'],
  summary,
  params: JobPath,
  body: NoBody,
  response: { 202: Accepted, ...problems },
});

/** What a person asks of a running job; the orchestrator decides. */
export const controlRoutes: FastifyPluginAsyncTypebox<Parts> = async (app, parts) => {
  const cancel = asks('End the job after the steps in flight');
  app.post('/v1/jobs/:id/cancel', { schema: cancel }, (request, reply) =>
    spanned(request, async () => {
      const { id } = request.params;
      await addressOf(parts, identity(request), id);
      const body = { request: requestBlock(request, id) };
      return reply.code(202).send(await ask(parts, request, id, { type: 'job.cancel-requested', key: '0', body }));
    }),
  );

  const kill = asks('End the job at once');
  app.post('/v1/jobs/:id/kill', { schema: kill }, (request, reply) =>
    spanned(request, async () => reply.code(202).send(await askKill(parts, request, request.params.id, null))),
  );

  const killAgent = { ...asks('End one agent at once'), params: AgentPath };
  app.post('/v1/jobs/:id/agents/:agent/kill', { schema: killAgent }, (request, reply) =>
    spanned(request, async () =>
      reply.code(202).send(await askKill(parts, request, request.params.id, request.params.agent)),
    ),
  );

  const budget = { ...asks('Set another cap'), body: Budget, response: { 200: Job, 202: Accepted, ...problems } };
  app.post('/v1/jobs/:id/budget', { schema: budget }, (request, reply) =>
    spanned(request, async () => {
      const asked = await askBudget(parts, request, request.params.id, request.body.budget_micros);
      const job = await answered(parts, request, asked);
      return job === null ? reply.code(202).send(asked) : reply.code(200).send(view(job));
    }),
  );
};

interface Asked {
  readonly id: string;
  readonly job: string;
  readonly seq: number;
}

/** @throws LoomError `job_ended` unless this very call was recorded before the end */
async function ask(parts: Parts, request: FastifyRequest, id: string, draft: Draft): Promise<Asked> {
  if (!(await isKnown(parts, request, id, draft))) refuseEnded(await jobOf(parts, identity(request), id));
  return { id: draft.key, job: id, ...(await record(parts, request, id, draft)) };
}

async function askKill(parts: Parts, request: FastifyRequest, id: string, agent: string | null): Promise<Asked> {
  const job = await jobOf(parts, identity(request), id);
  if (agent !== null && !job.agents.has(agent)) throw new LoomError('not_found');
  const body = { agent, request: requestBlock(request, id) };
  return ask(parts, request, id, { type: 'job.kill-requested', key: agent ?? '0', body });
}

async function askBudget(parts: Parts, request: FastifyRequest, id: string, micros: number): Promise<Asked> {
  await addressOf(parts, identity(request), id);
  const key = await nameFor(parts, request, `POST /v1/jobs/${id}/budget`);
  const body = { budget_micros: micros, request: requestBlock(request, id) };
  return ask(parts, request, id, { type: 'job.budget-requested', key, body });
}

/** How long the answer waits for the decider, ms. */
const patience = 5_000;

/** The job once the decider recorded the cap asked for, or null when it did not in time. */
async function answered(parts: Parts, request: FastifyRequest, asked: Asked): Promise<Folded | null> {
  const at = { tenant: identity(request).tenant, stream: asked.job };
  const until = AbortSignal.any([AbortSignal.timeout(patience), parts.draining]);
  const { ring, wait } = bell(until);
  const stop = parts.hints.on(at, ring);
  try {
    for (let seq = asked.seq; !until.aborted; await wait(250)) {
      const job = await parts.jobs.at(at, seq);
      seq = job.seq;
      if (job.budgetAsks.some(({ key, answered: done }) => key === asked.id && done)) return job;
      if (job.ended !== null) throw new LoomError('job_ended');
    }
    return null;
  } finally {
    stop();
  }
}
