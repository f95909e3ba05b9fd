/** Downloads that are pinned by their SHA-256. */
import { createHash } from 'node:crypto';
import type { Progress } from '../output.ts';

/** @throws when the bytes are not the ones that were pinned */
export function checkSum(bytes: Uint8Array, sha256: string, name: string): void {
  const got = createHash('sha256').update(bytes).digest('hex');
  if (got !== sha256) throw new Error(`${name} has SHA-256 ${got}, not the pinned ${sha256}: refused`);
}

async function collect(response: Response, progress: Progress): Promise<Buffer> {
  const total = Number(response.headers.get('content-length') ?? 0);
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of response.body ?? []) {
    chunks.push(chunk);
    size += chunk.length;
    progress.at(total > 0 ? size / total : null);
  }
  return Buffer.concat(chunks);
}

/** The bytes behind `url`. No answer within `connectMs`, or no end within five minutes: @throws */
export async function download(url: string, sha256: string, progress: Progress, connectMs = 5_000): Promise<Buffer> {
  const abort = new AbortController();
  const timer = setTimeout(() => abort.abort(new Error(`no answer within ${connectMs / 1000} s`)), connectMs);
  try {
    const response = await fetch(url, { signal: AbortSignal.any([abort.signal, AbortSignal.timeout(300_000)]) });
    clearTimeout(timer);
    if (!response.ok) throw new Error(`${url} answers ${response.status}`);
    const bytes = await collect(response, progress);
    checkSum(bytes, sha256, url);
    return bytes;
  } finally {
    clearTimeout(timer);
  }
}
