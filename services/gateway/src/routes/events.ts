import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { LoomError } from '@loom/service';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Type } from 'typebox';
import { openStreams } from '../http/measure.ts';
import { requestBlock } from '../http/request.ts';
import { identity } from '../identity/authenticate.ts';
import { addressOf } from '../jobs.ts';
import type { Parts } from '../parts.ts';
import { present } from '../present.ts';
import { eventStream } from '../stream.ts';
import { JobPath, Limit, problems } from './schemas.ts';

const Position = Type.Optional(Type.Integer({ minimum: 0, description: 'Only what comes behind this sequence.' }));

const schema = {
  tags: ['events'],
  summary: "The job's facts",
  description:
    'Asked for text/event-stream: follows the job until its terminal fact; `id` is the log sequence, resume with Last-Event-ID or ?after. ' +
    'Token deltas come as `event: delta` without an id. Else a JSON page.',
  params: JobPath,
  querystring: Type.Object({ after: Position, cursor: Position, limit: Limit }, { additionalProperties: false }),
  response: {
    200: Type.Object({ items: Type.Array(Type.Unknown()), next_cursor: Type.Union([Type.String(), Type.Null()]) }),
    204: Type.Null({ description: 'A stream resumed behind its terminal fact: there is nothing more to come.' }),
    ...problems,
  },
};

/** Following a job. */
export const eventRoutes: FastifyPluginAsyncTypebox<Parts> = async (app, parts) => {
  const admit = turnstile();
  app.get('/v1/jobs/:id/events', { schema, exposeHeadRoute: false }, async (request, reply) => {
    const caller = identity(request);
    const at = await addressOf(parts, caller, request.params.id);
    const after = lastEventId(request) ?? request.query.after ?? request.query.cursor ?? 0;
    if (!wantsStream(request))
      return page(parts, at, { after, limit: request.query.limit ?? 100, viewer: caller.person });
    const { ended } = await parts.jobs.at({ tenant: at.tenant, stream: at.stream });
    if (ended !== null && after >= ended.seq) return reply.code(204).send(null);
    await parts.signIn(caller, requestBlock(request, ''));
    const done = admit(caller.person);
    const source = eventStream(parts, at, { after, viewer: caller.person });
    source.once('close', done);
    void reply.headers(streamed);
    return (reply as FastifyReply).send(source);
  });
};

/** Most streams that one person may have open here. */
const mostStreams = 64;

/** Counts a person's open streams: call it to open one, and what it returns when that is closed. @throws LoomError `rate_limited` */
function turnstile(): (person: string) => () => void {
  const open = new Map<string, number>();
  return (person) => {
    const count = open.get(person) ?? 0;
    if (count >= mostStreams) throw new LoomError('rate_limited', `at most ${mostStreams} open streams`);
    open.set(person, count + 1);
    openStreams.add(1);
    return () => {
      openStreams.add(-1);
      const left = (open.get(person) ?? 1) - 1;
      if (left === 0) open.delete(person);
      else open.set(person, left);
    };
  };
}

/** The connection closes with the stream, so that a drain waits for no idle one. */
const streamed = {
  'content-type': 'text/event-stream; charset=utf-8',
  'x-accel-buffering': 'no',
  connection: 'close',
};

const wantsStream = (request: FastifyRequest): boolean => (request.headers.accept ?? '').includes('text/event-stream');

/** @throws LoomError `validation_failed` for a Last-Event-ID that is no sequence */
function lastEventId(request: FastifyRequest): number | undefined {
  const id = request.headers['last-event-id'];
  if (id === undefined || id === '') return undefined;
  if (typeof id === 'string' && /^\d{1,15}$/.test(id)) return Number(id);
  throw new LoomError('validation_failed', 'must be a sequence', { field: 'Last-Event-ID' });
}

async function page(
  { log }: Parts,
  at: { tenant: string; stream: string },
  query: { after: number; limit: number; viewer: string },
) {
  const items: ReturnType<typeof present>[] = [];
  for await (const fact of log.read(at, { after: query.after })) {
    if (items.length === query.limit) return { items, next_cursor: String(items.at(-1)?.seq) };
    items.push(present(fact, query.viewer));
  }
  return { items, next_cursor: null };
}
