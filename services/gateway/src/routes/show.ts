import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { foldJob, stateHash, transcript } from '@loom/job';
import { LoomError } from '@loom/service';
import { Type } from 'typebox';
import { identity } from '../identity/authenticate.ts';
import { addressOf, jobOf } from '../jobs.ts';
import type { Parts } from '../parts.ts';
import { plain } from '../present.ts';
import { JobPath, problems } from './schemas.ts';

const transcriptSchema = {
  tags: ['jobs'],
  summary: 'Messages per agent, in order',
  params: JobPath,
  response: { 200: Type.Object({ items: Type.Array(Type.Unknown()) }), ...problems },
};

const State = Type.Object({
  seq: Type.Integer({ description: 'Last sequence folded.' }),
  chain: Type.String({ description: 'Rolling hash of the facts folded.' }),
  state_hash: Type.String({
    description: 'SHA-256 of the state as canonical JSON, without ids of jobs, sequences, times and keyed hashes.',
  }),
  state: Type.Unknown(),
});

const stateSchema = {
  tags: ['jobs'],
  summary: 'The folded state at a sequence',
  description: 'ETag is its state_hash, so a HEAD tells whether two states are the same.',
  params: JobPath,
  querystring: Type.Object(
    { at: Type.Optional(Type.Integer({ minimum: 1, description: 'Default: now.' })) },
    { additionalProperties: false },
  ),
  response: { 200: State, ...problems },
};

/** What a job's facts come to. */
export const showRoutes: FastifyPluginAsyncTypebox<Parts> = async (app, parts) => {
  app.get('/v1/jobs/:id/transcript', { schema: transcriptSchema }, async (request) => ({
    items: transcript(await jobOf(parts, identity(request), request.params.id)),
  }));

  app.get('/v1/jobs/:id/state', { schema: stateSchema }, async (request, reply) => {
    const caller = identity(request);
    const { tenant, stream, submittedAt } = await addressOf(parts, caller, request.params.id);
    const upto = request.query.at;
    if (upto !== undefined && upto < submittedAt) {
      throw new LoomError('validation_failed', `the job begins at sequence ${submittedAt}`, { field: 'at' });
    }
    const job = await foldJob(parts.log, { tenant, stream }, upto);
    const hash = stateHash(job);
    void reply.header('etag', `"${hash}"`);
    return { seq: job.seq, chain: job.chain, state_hash: hash, state: plain(job, caller.person) };
  });
};
