import { readFileSync } from 'node:fs';

export type Phase = 'profile' | 'answer';

const read = (name: string): string => readFileSync(new URL(`./python/${name}.py`, import.meta.url), 'utf8');
const parts: Readonly<Record<Phase, readonly string[]>> = {
  profile: ['reading', 'kinds', 'charts', 'scan', 'oddities', 'prose', 'output', 'profile'],
  answer: ['reading', 'kinds', 'charts', 'output', 'answers'],
};
const source: Readonly<Record<Phase, string>> = {
  profile: parts.profile.map(read).join('\n\n'),
  answer: parts.answer.map(read).join('\n\n'),
};

/** JSON in ASCII alone: what a name or value holds can end no string and no line. */
function ascii(value: unknown): string {
  return JSON.stringify(value).replace(
    /[^\x20-\x7e]/g,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/** A whole Python program; all that varies is in `parameters`, passed as one JSON literal. Its first line names the run for `runOf`. */
export function program(
  phase: Phase,
  parameters: { readonly file: string; readonly lite: boolean } & Readonly<Record<string, unknown>>,
): string {
  const marker = `# Loom offline mode (rules, no language model): ${phase} ${parameters.lite ? 'cheap' : 'whole'} ${ascii(parameters.file)}`;
  return [
    marker,
    'import json',
    `PARAMS = json.loads(${JSON.stringify(ascii({ phase, ...parameters }))})`,
    source[phase],
    `main(${phase})`,
    '',
  ].join('\n');
}

/** Which run a program is, from its first line. */
export function runOf(code: string): { phase: Phase; lite: boolean; file: string } | null {
  const match = /^# Loom offline mode \(rules, no language model\): (profile|answer) (cheap|whole) (".*")$/.exec(
    code.slice(0, code.indexOf('\n')),
  );
  if (!match) return null;
  return {
    phase: match[1] === 'answer' ? 'answer' : 'profile',
    lite: match[2] === 'cheap',
    file: String(JSON.parse(match[3] ?? '""')),
  };
}

/** A name for charts made of a file's name: ASCII, unlike that of every other attachment. */
export function slug(file: string, all: readonly string[]): string {
  const make = (name: string) =>
    name
      .normalize('NFKD')
      .replace(/\.[^.]*$/, '')
      .toLowerCase()
      .replace(/[^a-z0-9]+/g, '-')
      .replace(/^-+|-+$/g, '')
      .slice(0, 40) || 'file';
  const same = all.filter((name) => make(name) === make(file));
  return same.length > 1 ? `${make(file)}-${same.indexOf(file) + 1}` : make(file);
}
