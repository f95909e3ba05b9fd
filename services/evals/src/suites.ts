import { readFile } from 'node:fs/promises';
import { LoomError } from '@loom/service';
import type { Suite } from './domain/score.ts';

/** A suite of `suites/` by its name. @throws LoomError `not_found` */
export async function suiteNamed(name: string): Promise<Suite> {
  const unknown = (cause?: unknown) => new LoomError('not_found', `there is no suite ${name}`, { cause });
  if (!/^[a-z0-9-]+$/.test(name)) throw unknown();
  const text = await readFile(new URL(`../suites/${name}.json`, import.meta.url), 'utf8').catch((cause: unknown) =>
    Promise.reject(unknown(cause)),
  );
  return JSON.parse(text) as Suite;
}
