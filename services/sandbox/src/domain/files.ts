import type { Limits } from './limits.ts';

/** Header of an archive entry, as far as it is judged. */
export interface Entry {
  readonly name: string;
  readonly type: string | null | undefined;
  readonly size: number | undefined;
}

/** What was taken so far. */
export interface Taken {
  readonly count: number;
  readonly bytes: number;
}

/**
 * Why an entry of a container's archive is not taken; null when it is. The archive is made beside the code that ran, so
 * each header is judged as a stranger's: a regular file, below final/, within the caps.
 */
export function refusal(entry: Entry, taken: Taken, limits: Limits): string | null {
  const size = entry.size ?? 0;
  if (entry.type !== 'file') return 'not a regular file';
  if (!isSafePath(entry.name) || !entry.name.startsWith('final/')) return 'not a path below final/';
  if (size > limits.fileBytes) return `over ${limits.fileBytes / 1e6} MB`;
  if (taken.bytes + size > limits.filesBytes) return `over ${limits.filesBytes / 1e6} MB together`;
  if (taken.count >= limits.files) return `over ${limits.files} files`;
  return null;
}

/** A relative path in normal form: no empty, `.` or `..` part, no backslash, no control character, parts of at most 255 characters. */
export function isSafePath(path: string): boolean {
  if (path.length === 0 || path.length > 1024 || /[\\\p{Cc}\p{Cs}\uFFFD]/u.test(path)) return false;
  return path.split('/').every((part) => part !== '' && part !== '.' && part !== '..' && part.length <= 255);
}

const mediaTypes: Readonly<Record<string, string>> = {
  csv: 'text/csv',
  gif: 'image/gif',
  html: 'text/html',
  jpeg: 'image/jpeg',
  jpg: 'image/jpeg',
  js: 'text/javascript',
  json: 'application/json',
  jsonl: 'application/x-ndjson',
  md: 'text/markdown',
  pdf: 'application/pdf',
  png: 'image/png',
  py: 'text/x-python',
  svg: 'image/svg+xml',
  tsv: 'text/tab-separated-values',
  txt: 'text/plain',
  webp: 'image/webp',
  xlsx: 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet',
  xml: 'application/xml',
  zip: 'application/zip',
};

/** By the name's ending; `application/octet-stream` for others. */
export function mediaType(path: string): string {
  const extension = /\.([a-z0-9]+)$/i.exec(path)?.[1]?.toLowerCase();
  return (extension === undefined ? undefined : mediaTypes[extension]) ?? 'application/octet-stream';
}
