import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import type { Job } from '@loom/job';
import { openQuestions } from '@loom/job';
import { LoomError } from '@loom/service';
import type { FastifyRequest } from 'fastify';
import { requestBlock, spanned } from '../http/request.ts';
import { identity } from '../identity/authenticate.ts';
import { jobOf } from '../jobs.ts';
import { nameFor } from '../names.ts';
import type { Parts } from '../parts.ts';
import { isKnown, record } from '../record.ts';
import { checkText } from '../submission.ts';
import type { Checked } from '../submission.ts';
import { createdView, submitFor } from './jobs.ts';
import { Accepted, Created, JobPath, Message, problems } from './schemas.ts';

const schema = {
  tags: ['talk'],
  summary: 'Say something to a job',
  description:
    'Answers a pending question, or adds to the brief. On a finished job: a follow-up job in the same engagement.',
  params: JobPath,
  body: Message,
  response: { 201: Created, 202: Accepted, ...problems },
};

/** Messages of people to a job. */
export const talkRoutes: FastifyPluginAsyncTypebox<Parts> = async (app, parts) => {
  app.post('/v1/jobs/:id/messages', { schema }, (request, reply) =>
    spanned(request, async () => {
      const { id } = request.params;
      const text = checkText('text', request.body.text);
      const job = await jobOf(parts, identity(request), id);
      const key = await nameFor(parts, request, `POST /v1/jobs/${id}/messages`);
      const replyTo = request.body.in_reply_to ?? null;
      if (!(await isKnown(parts, request, id, { type: 'message.posted', key }))) {
        if (job.ended !== null) return reply.code(201).send(await follow(parts, request, followUp(job, text)));
        checkQuestion(job, replyTo);
      }
      const body = { text, in_reply_to: replyTo, request: requestBlock(request, id) };
      const { seq } = await record(parts, request, id, { type: 'message.posted', key, body });
      return reply.code(202).send({ id: key, job: id, seq });
    }),
  );
};

/** @throws LoomError `validation_failed` for a question that was never asked, `already_answered` for one that is not open any more */
function checkQuestion(job: Job, question: string | null): void {
  if (question === null || openQuestions(job).some(({ id }) => id === question)) return;
  if (job.calls.get(question)?.where === 'person')
    throw new LoomError('already_answered', undefined, { field: 'in_reply_to' });
  throw new LoomError('validation_failed', 'names no question of this job', { field: 'in_reply_to' });
}

async function follow(parts: Parts, request: FastifyRequest, wanted: Checked) {
  return createdView(await submitFor(parts, request, wanted, `POST /v1/jobs/${wanted.follows ?? ''}/messages`));
}

/** The job that goes on where a finished one stopped. */
const followUp = (job: Job, brief: string): Checked => ({
  brief,
  uploads: [],
  metadata: job.submitted?.metadata ?? {},
  engagement: job.submitted?.engagement ?? 'default',
  budgetMicros: job.submitted?.budget_micros ?? null,
  models: job.submitted?.models ?? {},
  follows: job.stream,
  fork: null,
});
