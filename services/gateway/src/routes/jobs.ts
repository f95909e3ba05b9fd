import multipart from '@fastify/multipart';
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { view } from '@loom/job';
import type { FastifyRequest } from 'fastify';
import { Type } from 'typebox';
import { Compile } from 'typebox/compile';
import { attachmentBytes, submissionBytes } from '../domain/limits.ts';
import { invalid } from '../http/problem.ts';
import { requestBlock, spanned } from '../http/request.ts';
import { jobId } from '../ids.ts';
import { identity } from '../identity/authenticate.ts';
import { jobOf } from '../jobs.ts';
import { nameFor } from '../names.ts';
import { readForm } from '../multipart.ts';
import type { Parts } from '../parts.ts';
import { check, decoded } from '../submission.ts';
import type { Checked } from '../submission.ts';
import { submit } from '../submit.ts';
import type { Submitted } from '../submit.ts';
import { Created, Cursor, Job, JobPath, JobSummary, Limit, Submission, page, problems } from './schemas.ts';
import { summaries } from './summaries.ts';

const submission = Compile(Submission);

const submitSchema = {
  tags: ['jobs'],
  summary: 'Submit a brief',
  description:
    'JSON, or multipart/form-data with part `brief`, any number of `file` parts, and the other fields as text.',
  body: { content: { 'application/json': { schema: Submission } } },
  response: { 201: Created, ...problems },
};

const listSchema = {
  tags: ['jobs'],
  summary: "The tenant's jobs, newest first",
  querystring: Type.Object(
    {
      limit: Limit,
      cursor: Cursor,
      status: Type.Optional(Type.String({ pattern: '^[a-z_]{1,32}$', description: 'Only jobs in this status.' })),
    },
    { additionalProperties: false },
  ),
  response: { 200: page(JobSummary), ...problems },
};

/** Submitting, listing and showing jobs. */
export const jobRoutes: FastifyPluginAsyncTypebox<Parts> = async (app, parts) => {
  await app.register(multipart, { limits: { fileSize: attachmentBytes + 1 } });

  app.post('/v1/jobs', { schema: submitSchema, bodyLimit: submissionBytes }, (request, reply) =>
    spanned(request, async () => {
      const wanted = await checkedOf(request);
      const submitted = await submitFor(parts, request, wanted);
      return reply.code(201).header('location', `/v1/jobs/${submitted.id}`).send(createdView(submitted));
    }),
  );

  app.get('/v1/jobs', { schema: listSchema }, async (request) => {
    const { limit = 20, cursor, status: only } = request.query;
    return summaries(parts, identity(request), { limit, cursor, status: only });
  });

  const schema = { tags: ['jobs'], summary: 'One job', params: JobPath, response: { 200: Job, ...problems } };
  app.get('/v1/jobs/:id', { schema }, async (request) =>
    view(await jobOf(parts, identity(request), request.params.id)),
  );
};

async function checkedOf(request: FastifyRequest): Promise<Checked> {
  if (!request.isMultipart()) {
    const body = bodyOf(request.body);
    return check(body, decoded(body), (index) => `attachments[${index}]`);
  }
  const form = await readForm(request);
  return check(bodyOf(form.body), form.uploads, () => 'file');
}

/** @throws LoomError `validation_failed` */
function bodyOf(body: unknown): Submission {
  if (submission.Check(body)) return body;
  throw invalid([...submission.Errors(body)]);
}

/** Puts the job on the log under an id that the call's `Idempotency-Key` gives, or a fresh one. */
export async function submitFor(
  parts: Parts,
  request: FastifyRequest,
  wanted: Checked,
  route = 'POST /v1/jobs',
): Promise<Submitted> {
  const caller = identity(request);
  const id = jobId(await nameFor(parts, request, route));
  const submitted = await submit(parts, { id, caller, request: requestBlock(request, id) }, wanted);
  parts.rows.expect(caller.tenant, id);
  return submitted;
}

/** The first answer to a submission, the same whenever it is given again. */
export const createdView = ({ id, time }: Submitted) => ({
  id,
  status: 'queued',
  created_at: new Date(time).toISOString(),
  links: {
    self: `/v1/jobs/${id}`,
    events: `/v1/jobs/${id}/events`,
    transcript: `/v1/jobs/${id}/transcript`,
    artifacts: `/v1/jobs/${id}/artifacts`,
  },
});
