import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import type { Job } from '@loom/job';
import { LoomError } from '@loom/service';
import type { Identity } from '../identity/tokens.ts';
import { identity } from '../identity/authenticate.ts';
import { spanned } from '../http/request.ts';
import { jobOf } from '../jobs.ts';
import type { Parts } from '../parts.ts';
import { checkText } from '../submission.ts';
import type { Checked } from '../submission.ts';
import { createdView, submitFor } from './jobs.ts';
import { Created, ForkRequest, JobPath, problems } from './schemas.ts';

const schema = {
  tags: ['jobs'],
  summary: 'A new job that begins where this one stood at a fact',
  description:
    'The fork takes all facts of its parent along and lives on without it. `re-execute` goes on from the fact on a budget of its own and asks every open question again; `playback` serves what was recorded, at no cost, and ends in the same state.',
  params: JobPath,
  body: ForkRequest,
  response: { 201: Created, ...problems },
};

/** Counterfactual runs. */
export const forkRoutes: FastifyPluginAsyncTypebox<Parts> = async (app, parts) => {
  app.post('/v1/jobs/:id/fork', { schema }, (request, reply) =>
    spanned(request, async () => {
      const { id } = request.params;
      const wanted = await forkOf(parts, identity(request), id, request.body);
      const submitted = await submitFor(parts, request, wanted, `POST /v1/jobs/${id}/fork`);
      return reply.code(201).header('location', `/v1/jobs/${submitted.id}`).send(createdView(submitted));
    }),
  );
};

const fault = (field: string, message: string): LoomError => new LoomError('validation_failed', message, { field });

/** @throws LoomError `not_found`, `key_destroyed`, `validation_failed` naming what cannot be forked or overridden */
async function forkOf(parts: Parts, caller: Identity, id: string, asked: ForkRequest): Promise<Checked> {
  const { mode, from_seq: fromSeq, overrides } = asked;
  const job = await jobOf(parts, caller, id);
  const submitted = job.submitted;
  if (submitted === null) throw new LoomError('not_found');
  if (mode === 'playback' && overrides !== undefined)
    throw fault('overrides', 'a playback repeats what was recorded: leave them out, or take the mode re-execute');
  await checkPoint(parts, job, fromSeq);
  const { models = {}, brief, policy = {}, budget_micros: budgetMicros = null } = overrides ?? {};
  const tightened = checkPolicy(job, policy);
  return {
    brief: brief === undefined ? submitted.brief : checkText('overrides.brief', brief),
    uploads: [],
    metadata: submitted.metadata,
    engagement: submitted.engagement,
    budgetMicros,
    models,
    follows: null,
    fork: { forkedFrom: id, fromSeq, mode: mode === 'playback' ? 'playback' : 'reexecute', tightened },
  };
}

/** The point is a fact of the job, and of a fork one of its own. */
async function checkPoint({ log }: Parts, job: Job, fromSeq: number): Promise<void> {
  const at = { tenant: job.tenant, stream: job.stream };
  const [found] = await Array.fromAsync(log.readClear(at, { after: fromSeq - 1, upto: fromSeq }));
  if (found === undefined)
    throw fault('from_seq', `is no fact of this job; GET /v1/jobs/${job.stream}/events lists them by seq`);
  if (job.submitted?.forked_from === null) return;
  const forked = await log.getClear(at, 'orchestrator', 'job.forked', '0');
  if (forked === null || fromSeq < forked.seq)
    throw fault('from_seq', `this job is a fork itself: begin at ${forked?.seq ?? 'its job.forked'} or later`);
}

/** @throws LoomError `validation_failed` for a limit above the parent's */
function checkPolicy(job: Job, policy: Readonly<Record<string, number>>): Readonly<Record<string, number>> {
  const limits = new Map<string, number>(Object.entries(job.accepted?.limits ?? {}));
  for (const [name, value] of Object.entries(policy)) {
    const most = limits.get(name) ?? Infinity;
    if (value > most) throw fault(`overrides.policy.${name}`, `may only be tightened: at most ${most}`);
  }
  return policy;
}
