/** Longest path and longest part of one, characters. */
const MOST = 255;

/** A path under final/ in normal form, or what is wrong with it in words for the model. */
export function artifactPath(given: string): { readonly path: string } | { readonly problem: string } {
  const path = given
    .normalize('NFC')
    .replace(/^\.\//, '')
    .replace(/\/{2,}/g, '/');
  const parts = path.split('/');
  if (/[\\\p{Cc}\p{Cs}\p{Cf}]/u.test(path))
    return problem('must not hold backslashes, control or invisible characters');
  if (parts.includes('..') || parts.includes('.')) return problem('must not hold "." or ".." as a part');
  if (parts[0] !== 'final' || parts.length < 2) return problem('must begin with final/, for example final/report.md');
  if (parts.includes('')) return problem('must name a file, not a folder');
  return path.length > MOST ? problem(`must not be longer than ${MOST} characters`) : { path };
}

const problem = (what: string): { readonly problem: string } => ({ problem: `The path ${what}.` });

const MEDIA_TYPES: Readonly<Record<string, string>> = {
  css: 'text/css',
  csv: 'text/csv',
  htm: 'text/html',
  html: 'text/html',
  js: 'text/javascript',
  json: 'application/json',
  jsonl: 'application/x-ndjson',
  md: 'text/markdown',
  py: 'text/x-python',
  sql: 'application/sql',
  svg: 'image/svg+xml',
  tex: 'application/x-tex',
  tsv: 'text/tab-separated-values',
  txt: 'text/plain',
  xml: 'application/xml',
  yaml: 'application/yaml',
  yml: 'application/yaml',
};

/** By the name's ending; a text of an unknown kind is plain text. */
export function mediaTypeOf(path: string): string {
  const ending = /\.([a-z0-9]+)$/i.exec(path)?.[1]?.toLowerCase() ?? '';
  return MEDIA_TYPES[ending] ?? 'text/plain';
}
