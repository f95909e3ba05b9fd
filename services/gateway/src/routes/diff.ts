import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { artifactList, diffOf } from '@loom/job';
import type { Artifact, Job, JobDiff } from '@loom/job';
import { createTwoFilesPatch } from 'diff';
import { Type } from 'typebox';
import { identity } from '../identity/authenticate.ts';
import { jobOf } from '../jobs.ts';
import type { Parts } from '../parts.ts';
import { problems } from './schemas.ts';

/** Larger files are told apart by their sums alone, bytes. */
const largestText = 262_144;

const pair = Type.Object({ a: Type.Unknown(), b: Type.Unknown(), same: Type.Boolean() });
const rows = (description: string) => Type.Array(pair, { description });

const Diff = Type.Unsafe<JobDiff>(
  Type.Object({
    totals: Type.Object({ a: Type.Unknown(), b: Type.Unknown() }),
    steps: rows('By slot: outcome, model, attempts, tokens, cost and latency; the same when what was said is.'),
    calls: rows('By slot: tool, outcome, code; the same when arguments and results are.'),
    refusals: rows('Calls that the policy of either refused, with the code.'),
    artifacts: rows('By path: size and sha256, and a unified diff where texts differ.'),
  }),
);

const schema = {
  tags: ['jobs'],
  summary: 'Two jobs side by side',
  description: 'Steps and calls are matched by their slots, so a fork is held against its parent step by step.',
  params: Type.Object({ id: Type.String(), other: Type.String() }),
  response: { 200: Diff, ...problems },
};

export const diffRoutes: FastifyPluginAsyncTypebox<Parts> = async (app, parts) => {
  app.get('/v1/jobs/:id/diff/:other', { schema }, async (request) => {
    const { id, other } = request.params;
    const [a, b] = [await jobOf(parts, identity(request), id), await jobOf(parts, identity(request), other)];
    const { artifacts, ...rest } = diffOf(a, b);
    return { ...rest, artifacts: await Promise.all(artifacts.map((row) => withText(parts, row, a, b))) };
  });
};

type Row = JobDiff['artifacts'][number];

async function withText({ blobs }: Parts, row: Row, a: Job, b: Job): Promise<Row & { readonly text?: string }> {
  if (row.same) return row;
  const texts = await Promise.all([a, b].map((job) => textOf(blobs, fileOf(job, row.path))));
  const [before, after] = texts;
  if (before === null || before === undefined || after === null || after === undefined) return row;
  return { ...row, text: createTwoFilesPatch(`${a.stream}/${row.path}`, `${b.stream}/${row.path}`, before, after) };
}

const fileOf = (job: Job, path: string): Artifact | undefined => artifactList(job).find((one) => one.path === path);

/** '' for a file that is not there; null for what is no text, or too much of it. */
async function textOf(blobs: Parts['blobs'], file: Artifact | undefined): Promise<string | null> {
  if (file === undefined) return '';
  if (file.size > largestText) return null;
  const bytes = await blobs.get(file.object, file.dataKey);
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return null;
  }
}
