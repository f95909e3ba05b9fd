import type { Readable } from 'node:stream';
import type { JobView } from '@loom/job';
import { Type } from 'typebox';
import type { Static, TSchema } from 'typebox';

const strict = { additionalProperties: false } as const;
const text = (maxLength: number, description: string) => Type.String({ minLength: 1, maxLength, description });
const nullable = <T extends TSchema>(schema: T) => Type.Union([schema, Type.Null()]);
const time = (description: string) => Type.String({ format: 'date-time', description });
const micros = (description: string) =>
  Type.Integer({ minimum: 0, maximum: 1_000_000_000_000, description: `${description} Micro-USD.` });
const modelName = Type.String({ pattern: '^[A-Za-z0-9][A-Za-z0-9._:/@-]{0,127}$', description: 'A model id.' });

/** RFC 9457, with Loom's own `code`, `retry` and `field`. */
export const Problem = Type.Object(
  {
    type: Type.String(),
    title: Type.String(),
    status: Type.Integer(),
    code: Type.String({ description: 'Stable; docs/errors.md lists them all.' }),
    detail: Type.String(),
    retry: Type.Union([Type.Literal('never'), Type.Literal('now'), Type.Literal('later')]),
    field: Type.Optional(Type.String({ description: 'The field at fault, e.g. attachments[0].name.' })),
  },
  { description: 'What went wrong (RFC 9457).' },
);

export const Submission = Type.Object(
  {
    brief: Type.String({ minLength: 1, description: 'What is asked; at most 100 KB of UTF-8.' }),
    engagement: Type.Optional(Type.String({ pattern: '^[a-z0-9][a-z0-9_-]{0,63}$', description: 'Default: default.' })),
    budget_micros: Type.Optional(micros('Cap on what the job may spend.')),
    models: Type.Optional(
      Type.Object(
        { planner: Type.Optional(modelName), worker: Type.Optional(modelName), writer: Type.Optional(modelName) },
        { ...strict, description: 'Model by role.' },
      ),
    ),
    attachments: Type.Optional(
      Type.Array(
        Type.Object(
          {
            name: text(255, 'File name, unique in this call.'),
            media_type: Type.String({ pattern: '^[ -~]{1,127}$', description: 'e.g. text/csv' }),
            content_base64: Type.String({ description: 'The bytes, base64 (RFC 4648 section 4).' }),
          },
          strict,
        ),
        { description: 'At most 50 MB together.' },
      ),
    ),
    metadata: Type.Optional(
      Type.Record(Type.String({ maxLength: 64 }), Type.String({ maxLength: 512 }), {
        maxProperties: 50,
        description: 'Labels of your own.',
      }),
    ),
  },
  strict,
);
export type Submission = Static<typeof Submission>;

const limit = (description: string) => Type.Optional(Type.Integer({ minimum: 1, maximum: 1e12, description }));

/** Limits of a job by their names in `job.accepted`; a fork may lower them. */
const Policy = Type.Object(
  {
    max_agents: limit('Agents a job.'),
    max_depth: limit('Depth of delegation.'),
    max_fan_out: limit('Tool calls a step, and agents a plan.'),
    max_steps: limit('Steps an agent.'),
    max_attempts: limit('Attempts a step.'),
    max_in_flight: limit('Steps in flight.'),
    max_output_tokens: limit('Output tokens a step.'),
    step_deadline_ms: limit('Until a step is lost, ms.'),
    tool_deadline_ms: limit('Until a tool call is lost, ms.'),
    silence_ms: limit('Until a silent job ends, ms.'),
    parked_ms: limit('Until an agent fails whose step is out of attempts, ms.'),
  },
  { ...strict, description: 'Each at most as in the parent.' },
);

export const ForkRequest = Type.Object(
  {
    from_seq: Type.Integer({ minimum: 1, description: 'A fact of the parent: up to it, both are the same.' }),
    mode: Type.Union([Type.Literal('re-execute'), Type.Literal('playback')], {
      description: 'Run on from there at its own cost, or serve what was recorded and act on nothing.',
    }),
    overrides: Type.Optional(
      Type.Object(
        {
          models: Submission.properties.models,
          brief: Type.Optional(Type.String({ minLength: 1, description: 'Instead of the parent’s.' })),
          policy: Type.Optional(Policy),
          budget_micros: Submission.properties.budget_micros,
        },
        { ...strict, description: 'Of a re-execution alone.' },
      ),
    ),
  },
  strict,
);
export type ForkRequest = Static<typeof ForkRequest>;

export const Created = Type.Object({
  id: Type.String(),
  status: Type.String(),
  created_at: time('When it was recorded.'),
  links: Type.Record(Type.String(), Type.String()),
});

const Summary = {
  id: Type.String(),
  status: Type.String({
    description:
      'queued, planning, running, waiting_input, waiting_approval, waiting_budget, completed, failed, refused or cancelled.',
  }),
  brief: Type.String(),
  engagement: Type.String(),
  created_at: time('When it was submitted.'),
  updated_at: time('Its last fact.'),
  budget_micros: micros('The cap.'),
  reserved_micros: micros('Reserved for steps in flight.'),
  spent_micros: micros('Settled.'),
  last_seq: Type.Integer({ description: 'Sequence of its last fact.' }),
};

export const JobSummary = Type.Object(Summary);

export const Artifact = Type.Object({
  path: Type.String(),
  size: Type.Integer(),
  sha256: Type.String(),
  media_type: Type.String(),
  starred: Type.Boolean(),
  expires_at: time('When its bytes are removed.'),
});

const Reason = Type.Object({ code: Type.String(), reason: Type.String() });

export const Job = Type.Unsafe<JobView>(
  Type.Object({
    ...Summary,
    agents: Type.Array(
      Type.Object({
        id: Type.String(),
        role: Type.String(),
        task: Type.String(),
        status: Type.String(),
        steps: Type.Integer(),
        spent_micros: micros('Settled by it.'),
      }),
    ),
    pending: Type.Array(Type.Object({ kind: Type.String({ description: 'checkpoint or input' }), id: Type.String() })),
    artifacts: Type.Array(Artifact),
    metadata: Type.Record(Type.String(), Type.String()),
    replayable_until: nullable(time('Until when its facts are kept.')),
    refusal: Type.Optional(Reason),
    failure: Type.Optional(Reason),
    follows: Type.Optional(Type.String()),
    forked_from: Type.Optional(Type.String()),
    from_seq: Type.Optional(Type.Integer({ description: 'Fork point: sequence of the parent.' })),
    mode: Type.Optional(Type.String({ description: 're-execute or playback' })),
    recorded_micros: Type.Optional(micros('Of a fork: what its recorded part cost the parent.')),
  }),
);

/** A list's page. */
export const page = <T extends TSchema>(items: T) =>
  Type.Object({
    items: Type.Array(items),
    next_cursor: nullable(Type.String({ description: 'Give it as cursor for the next page.' })),
  });

export const JobPath = Type.Object({ id: Type.String({ description: 'Job id.' }) });
export const Limit = Type.Optional(
  Type.Integer({ minimum: 1, maximum: 100, default: 20, description: 'Items a page.' }),
);
export const Cursor = Type.Optional(Type.String({ maxLength: 200, description: 'next_cursor of the page before.' }));
/** Body of a call that takes none. */
export const NoBody = Type.Union([Type.Null(), Type.Object({}, strict)]);

export const Message = Type.Object(
  {
    text: Type.String({ minLength: 1, description: 'At most 100 KB of UTF-8.' }),
    in_reply_to: Type.Optional(
      Type.String({ maxLength: 64, description: 'Id of the pending question that it answers.' }),
    ),
  },
  strict,
);

export const Budget = Type.Object({ budget_micros: micros('The new cap.') }, strict);

export const Accepted = Type.Object({
  id: Type.String({ description: 'Key of the request on the log.' }),
  job: Type.String(),
  seq: Type.Integer({ description: 'Its sequence.' }),
});

/** Bytes that are no JSON. */
export const Bytes = Type.Unsafe<Readable | Buffer>(Type.String({ format: 'binary' }));

export const problems = { '4xx': Problem, '5xx': Problem };
