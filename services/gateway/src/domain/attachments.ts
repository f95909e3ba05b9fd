/** A file as a call brings it. */
export interface Upload {
  readonly name: string;
  readonly mediaType: string;
  readonly content: Uint8Array;
}

/** Why a file's name cannot stand in a workspace, or null: it is one path step, printable, unique. */
export function nameFault(name: string, others: ReadonlySet<string>): string | null {
  if (name === '' || name.length > 255) return 'must have 1 to 255 characters';
  // oxlint-disable-next-line no-control-regex
  if (/[/\\\u0000-\u001f\u007f]/.test(name)) return 'must hold no slash and no control character';
  if (name === '.' || name === '..') return 'must name a file';
  return others.has(name) ? 'must be unique in this call' : null;
}

const types: Readonly<Record<string, string>> = {
  csv: 'text/csv',
  html: 'text/html',
  jpg: 'image/jpeg',
  json: 'application/json',
  jsonl: 'application/jsonl',
  md: 'text/markdown',
  pdf: 'application/pdf',
  png: 'image/png',
  tsv: 'text/tab-separated-values',
  txt: 'text/plain',
};

/** As given, or guessed from the name where a form says nothing better. */
export function mediaType(given: string, name: string): string {
  if (/^[\w.+-]+\/[\w.+-]+(;.*)?$/.test(given) && given !== 'application/octet-stream') return given.slice(0, 127);
  return types[name.split('.').at(-1)?.toLowerCase() ?? ''] ?? 'application/octet-stream';
}
