import { createHash } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join, normalize, sep } from 'node:path';
import { Failure } from '../failure.ts';
import type { Gateway } from './gateway.ts';

/** Writes a job's artifacts under `folder` by their own paths (`final/…`), each checked against its SHA-256. */
export async function download(gateway: Gateway, id: string, folder: string): Promise<string[]> {
  const files = await gateway.json<{ path: string; sha256: string }[]>('GET', `/v1/jobs/${id}/artifacts`);
  const written: string[] = [];
  for (const { path, sha256 } of files) {
    const target = join(folder, safe(path));
    const content = Buffer.from(
      await (
        await gateway.call('GET', `/v1/jobs/${id}/artifacts/${path.split('/').map(encodeURIComponent).join('/')}`)
      ).arrayBuffer(),
    );
    if (createHash('sha256').update(content).digest('hex') !== sha256)
      throw new Failure(1, `${path} did not arrive whole`);
    await mkdir(dirname(target), { recursive: true });
    await writeFile(target, content);
    written.push(target);
  }
  return written;
}

/** An artifact's path never leaves the folder, whatever an agent called it. */
function safe(path: string): string {
  const clean = normalize(path);
  if (clean.startsWith('..') || clean.startsWith(sep))
    throw new Failure(1, `the artifact ${JSON.stringify(path)} has a path that leaves its folder`);
  return clean;
}
