/** A Markdown report as a reader sees it: sections, and tables under their captions. */

export interface ReportTable {
  /** Heading of the section that it stands in. */
  readonly section: string;
  readonly caption: string;
  /** What the caption says in brackets: the file, and the columns. `file` is '' when it names none. */
  readonly file: string;
  readonly columns: readonly string[];
  readonly header: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

/** Text without the escapes that keep it text in Markdown. */
const unescaped = (text: string): string =>
  text
    .replaceAll(/\\([\\`*_[\]|~#>+-])/g, '$1')
    .replaceAll('&lt;', '<')
    .replaceAll('&amp;', '&');

const cells = (line: string): string[] =>
  line
    .replace(/^\||\|\s*$/g, '')
    .split(/(?<!\\)\|/)
    .map((cell) => unescaped(cell.trim()));

function headingOf(line: string): string | null {
  const text = /^#+ (.*)$/.exec(line)?.[1];
  return text === undefined ? null : unescaped(text);
}

const quoted = (text: string): string[] => [...text.matchAll(/`([^`]*)`/g)].map(([, name = '']) => name);

function captionOf(line: string): Pick<ReportTable, 'caption' | 'file' | 'columns'> | null {
  const match = /^\*\*(.+?)\*\*(?: \((.*)\))?$/.exec(line);
  if (!match) return null;
  const [, caption = '', where = ''] = match;
  const file = /file `([^`]*)`/.exec(where)?.[1] ?? '';
  return { caption: unescaped(caption), file, columns: quoted(/columns? (.*)$/.exec(where)?.[1] ?? '') };
}

/** The tables of a report that have a caption, in order. */
export function tablesOf(report: string): readonly ReportTable[] {
  const found: ReportTable[] = [];
  let section = '';
  let caption: ReturnType<typeof captionOf> = null;
  const lines = report.split('\n');
  for (let at = 0; at < lines.length; at += 1) {
    const line = lines[at] ?? '';
    section = headingOf(line) ?? section;
    caption = captionOf(line) ?? caption;
    if (!line.startsWith('|') || !caption) continue;
    const end = lines.findIndex((other, place) => place > at && !other.startsWith('|'));
    const [header = '', , ...rows] = lines.slice(at, end);
    found.push({ section, ...caption, header: cells(header), rows: rows.map(cells) });
    caption = null;
    at = end;
  }
  return found;
}

/** The text of the section under a heading, up to the next heading of its level or above; '' when there is none. */
export function sectionOf(report: string, heading: string): string {
  const lines = report.split('\n');
  const start = lines.findIndex((line) => headingOf(line) === heading);
  const level = /^#+/.exec(lines[start] ?? '')?.[0].length ?? 0;
  const rest = lines.slice(start + 1);
  const end = rest.findIndex((line) => /^#+ /.test(line) && (/^#+/.exec(line)?.[0].length ?? 0) <= level);
  return start < 0 ? '' : rest.slice(0, end < 0 ? undefined : end).join('\n');
}
