import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import { periodOf, periodQuery } from '../http/period.ts';
import { identity } from '../identity/authenticate.ts';
import type { Parts } from '../parts.ts';
import { Cursor, Limit, page, problems } from './schemas.ts';

const whole = (description: string) => Type.Integer({ minimum: 0, description });
const money = (description: string) => whole(`${description} Micro-USD.`);

const figures = {
  attempts: whole('Attempts at the steps, failed and lost ones too.'),
  tokens_in: whole('Input tokens, cached ones included.'),
  tokens_cached: whole('Cached input tokens.'),
  tokens_out: whole('Output tokens.'),
  cost_micros: money('Model calls.'),
  tool_micros: money('Tool calls.'),
  waste_micros: money('Model calls that lost their slot: paid to the provider, not charged.'),
  spent_micros: money('What is charged: model and tool calls.'),
  seconds: whole('Of sandboxed workspaces.'),
};

const sums = { jobs: whole('Jobs that had a part in it.'), steps: whole('Agent steps.'), ...figures };

const period = {
  from: Type.String({ format: 'date-time', description: 'Begin of the period.' }),
  to: Type.String({ format: 'date-time', description: 'Its end.' }),
};

const groups = ['day', 'job', 'model', 'engagement'] as const;
const GroupBy = Type.Optional(
  Type.Union(
    groups.map((name) => Type.Literal(name)),
    { description: 'What an item stands for; day by default.' },
  ),
);

const Group = Type.Object({
  key: Type.String({ description: 'UTC day, job id, model or engagement; empty where there is none.' }),
  ...sums,
});

const usageSchema = {
  tags: ['usage'],
  summary: 'What was used, as sums',
  description:
    'A step or workspace counts in the period, and on the UTC day, of its first fact, with all that it ever took. Days come newest first, all else dearest first. Facts of a playback count for nothing.',
  querystring: Type.Object(
    { ...periodQuery, group_by: GroupBy, limit: Limit, cursor: Cursor },
    { additionalProperties: false },
  ),
  response: {
    200: Type.Object({
      ...period,
      group_by: Type.String(),
      total: Type.Object(sums, { description: 'Of the whole period, whatever page is shown.' }),
      ...page(Group).properties,
    }),
    ...problems,
  },
};

const Row = Type.Object({
  job: Type.String(),
  kind: Type.String({ description: 'step or workspace' }),
  key: Type.String({ description: '<agent>-<step>, or the tool call that a workspace served.' }),
  engagement: Type.String(),
  agent: Type.String(),
  step: Type.Integer(),
  outcome: Type.String({ description: 'Of the last attempt.' }),
  provider: Type.String(),
  model: Type.String(),
  price_version: Type.String(),
  ...figures,
  at: Type.String({ format: 'date-time', description: 'First fact of it.' }),
});

const eventsSchema = {
  tags: ['usage'],
  summary: 'What was used, row by row',
  description: 'One row an agent step and one a sandboxed workspace, newest first; no content.',
  querystring: Type.Object({ ...periodQuery, limit: Limit, cursor: Cursor }, { additionalProperties: false }),
  response: { 200: page(Row), ...problems },
};

/** What the tenant's jobs took. */
export const usageRoutes: FastifyPluginAsyncTypebox<Parts> = async (app, { usage }) => {
  app.get('/v1/usage', { schema: usageSchema }, async (request) => {
    const { tenant } = identity(request);
    const { group_by: by = 'day', limit = 20, cursor, ...query } = request.query;
    const asked = periodOf(query);
    const [total, { rows, next }] = await Promise.all([
      usage.total(tenant, asked),
      usage.groups(tenant, asked, by, { limit, cursor }),
    ]);
    const { from, to } = asked;
    return { from: from.toISOString(), to: to.toISOString(), group_by: by, total, items: [...rows], next_cursor: next };
  });

  app.get('/v1/usage/events', { schema: eventsSchema }, async (request) => {
    const { limit = 20, cursor, ...query } = request.query;
    const { rows, next } = await usage.rows(identity(request).tenant, periodOf(query), { limit, cursor });
    return { items: rows.map((row) => ({ ...row, at: row.at.toISOString() })), next_cursor: next };
  });
};
