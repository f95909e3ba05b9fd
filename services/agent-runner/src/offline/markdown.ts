/** Markdown of texts that come from files and people: they stay text, whatever they hold. */

/** One line without control characters and marks that turn the direction of writing. */
const clean = (text: string): string => text.replace(/[\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069]+/gu, ' ').trim();

/** Plain text in a sentence. Underscores inside words stay as they are. */
export function plain(value: string | number | null | undefined): string {
  if (value === null || value === undefined) return '';
  return clean(String(value))
    .replace(/&(?=#?\w+;)/g, '&amp;')
    .replace(/</g, '&lt;')
    .replace(/[\\`*[\]|~]/g, String.raw`\$&`)
    .replace(/(?<![\p{L}\p{N}])_|_(?![\p{L}\p{N}])/gu, String.raw`\_`)
    .replace(/^([#>+-])/, String.raw`\$1`)
    .replace(/\b(https?|ftp):\/\//gi, '$1:/\u200b/');
}

/** A name as a code span; backticks become apostrophes. */
export const code = (name: string): string => `\`${clean(name).replace(/`/g, "'") || ' '}\``;

/** A block of code in a fence longer than any run of backticks in it. */
export function block(text: string, language = 'python'): string {
  const longest = Math.max(2, ...[...text.matchAll(/`+/g)].map((match) => match[0].length));
  const fence = '`'.repeat(longest + 1);
  return `${fence}${language}\n${text.replace(/\r/g, '')}\n${fence}`;
}

const cell = (value: string | number | null): string => (typeof value === 'number' ? String(value) : plain(value));

export function grid(columns: readonly string[], rows: readonly (readonly (string | number | null)[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  const numeric = columns.map(
    (_, at) => rows.length > 0 && rows.every((row) => typeof row[at] === 'number' || row[at] === null),
  );
  return [
    line(columns.map(plain)),
    line(numeric.map((right) => (right ? '---:' : '---'))),
    ...rows.map((row) => line(row.map(cell))),
  ].join('\n');
}

export const quote = (text: string): string =>
  text
    .replace(/&(?=#?\w+;)/g, '&amp;')
    .replace(/</g, '&lt;')
    .replace(/!\[/g, '!\\[')
    .split(/\r?\n/)
    .map((line) => `> ${line}`.trimEnd())
    .join('\n');

/** An image beside the report; `path` is under final/. */
export const image = (title: string, path: string): string =>
  `![${plain(title)}](${encodeURI(path.replace(/^final\//, '')).replace(/[()]/g, '')})`;
