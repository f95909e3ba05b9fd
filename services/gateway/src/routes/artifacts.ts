import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { artifactList, artifactView } from '@loom/job';
import type { Artifact as Stored } from '@loom/job';
import { LoomError } from '@loom/service';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Type } from 'typebox';
import { mediaType } from '../domain/attachments.ts';
import { rangeOf } from '../domain/ranges.ts';
import { identity } from '../identity/authenticate.ts';
import { jobOf } from '../jobs.ts';
import type { Parts } from '../parts.ts';
import { zipOf } from '../zip.ts';
import { Artifact, Bytes, JobPath, problems } from './schemas.ts';

const listSchema = {
  tags: ['artifacts'],
  summary: 'The files of a job',
  params: JobPath,
  response: { 200: Type.Array(Artifact), ...problems },
};
const zipSchema = {
  tags: ['artifacts'],
  summary: 'All files as a ZIP',
  params: JobPath,
  response: { 200: Bytes, ...problems },
};
const fileSchema = {
  tags: ['artifacts'],
  summary: 'The bytes of a file',
  description: 'Range requests; ETag is its SHA-256.',
  params: JobPath,
  response: { 200: Bytes, 206: Bytes, 304: Type.Null(), 416: Type.Null(), ...problems },
};

/** What comes from a model is shown by no browser as a page of ours. */
const untrusted = "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:";

/** Files that a job wrote. */
export const artifactRoutes: FastifyPluginAsyncTypebox<Parts> = async (app, parts) => {
  const filesOf = async (request: FastifyRequest, id: string): Promise<Stored[]> =>
    artifactList(await jobOf(parts, identity(request), id));

  app.get('/v1/jobs/:id/artifacts', { schema: listSchema }, async (request) =>
    (await filesOf(request, request.params.id)).map(artifactView),
  );

  app.get('/v1/jobs/:id/artifacts.zip', { schema: zipSchema }, async (request, reply) => {
    const { id } = request.params;
    const files = await filesOf(request, id);
    void reply.type('application/zip').header('content-disposition', `attachment; filename="${id}.zip"`);
    return reply.send(zipOf(files, parts.blobs));
  });

  app.get('/v1/jobs/:id/artifacts/*', { schema: fileSchema }, async (request, reply) => {
    const { '*': path } = request.params as { readonly '*'?: string };
    const file = (await filesOf(request, request.params.id)).find((one) => one.path === path);
    if (file === undefined) throw new LoomError('not_found');
    return sendFile(parts, file, request, reply);
  });
};

async function sendFile(
  { blobs }: Parts,
  file: Stored,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const etag = `"${file.sha256}"`;
  void reply.headers({
    etag,
    'accept-ranges': 'bytes',
    'cache-control': 'private, no-cache',
    'content-disposition': disposition(file.path),
    'content-security-policy': untrusted,
  });
  if (matches(request.headers['if-none-match'], etag)) return reply.code(304).send();
  const range = isCurrent(request.headers['if-range'], etag) ? rangeOf(request.headers.range, file.size) : null;
  if (range === 'unsatisfiable') return reply.code(416).header('content-range', `bytes */${file.size}`).send();
  const content = await blobs.get(file.object, file.dataKey);
  void reply.type(mediaType(file.mediaType, file.path));
  if (range === null) return reply.send(content);
  void reply.code(206).header('content-range', `bytes ${range.start}-${range.end}/${file.size}`);
  return reply.send(content.subarray(range.start, range.end + 1));
}

const matches = (header: string | undefined, etag: string): boolean =>
  header !== undefined &&
  header.split(',').some((one) => one.trim() === '*' || one.trim().replace(/^W\//, '') === etag);

const isCurrent = (ifRange: string | string[] | undefined, etag: string): boolean =>
  ifRange === undefined || ifRange === etag;

/** RFC 6266: an ASCII name for old clients, the whole one for the others. */
function disposition(path: string): string {
  const name = path.split('/').at(-1) ?? 'file';
  const ascii = name.replaceAll(/[^\w. -]/g, '_');
  const whole = encodeURIComponent(name).replaceAll(
    /['()*]/g,
    (one) => `%${one.charCodeAt(0).toString(16).toUpperCase()}`,
  );
  return `attachment; filename="${ascii}"; filename*=UTF-8''${whole}`;
}
