/** What a model asks of `run_code`. */
export interface Call {
  readonly language: Language;
  readonly code: string;
  /** Names of the inputs to lay in; null when it named none. */
  readonly files: readonly string[] | null;
}

export type Language = 'python' | 'node';

/** A file of the workspace: a path relative to it, and its bytes. */
export interface WorkspaceFile {
  readonly path: string;
  readonly content: Uint8Array;
}

/** Reads the arguments as the model wrote them; a string says what is wrong with them, in words for the model. */
export function parseCall(args: string): Call | string {
  const value = parseJson(args);
  if (value === null)
    return 'The arguments are not a JSON object. Give {"language": "python" or "node", "code": "…", "files": ["…"]}.';
  const { language, code, files } = value;
  if (language !== 'python' && language !== 'node') return 'Unknown language: "language" must be "python" or "node".';
  if (typeof code !== 'string' || code.trim() === '') return '"code" must be a string that holds the program.';
  if (files !== undefined && files !== null && !isStrings(files)) return '"files" must be an array of file names.';
  return { language, code, files: files ?? null };
}

/** Names that the call asks for and the workspace does not get, as words for the model; null when all are there. */
export function missingFiles(call: Call, available: readonly string[]): string | null {
  const missing = (call.files ?? []).filter((name) => !available.some((path) => samePath(path, name)));
  if (missing.length === 0) return null;
  const there = available.length === 0 ? 'There are no files.' : `There are: ${available.join(', ')}.`;
  return `Unknown file: ${missing.join(', ')}. ${there}`;
}

/** `./a.csv` and `a.csv` are one file. */
export const samePath = (a: string, b: string): boolean => a.replace(/^(\.\/)+/, '') === b.replace(/^(\.\/)+/, '');

/** Whether Node should read the code as an ES module: it imports, exports, or awaits at the top. */
export function isModule(code: string): boolean {
  return /^\s*(import\s*["'{*]|import\s+[\w$]+|export\s|export\{|(?:(?:const|let|var)\s[^=\n]+=\s*)?await\s)/m.test(
    code,
  );
}

/** A name for the program that no input has. */
export function programName(call: Call, taken: readonly string[]): string {
  const extension = call.language === 'python' ? 'py' : isModule(call.code) ? 'mjs' : 'cjs';
  const names = ['main', ...taken.map((_, index) => `main_${index + 1}`)].map((name) => `${name}.${extension}`);
  return names.find((name) => !taken.includes(name)) ?? `main_.${extension}`;
}

function parseJson(text: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : null;
  } catch {
    return null;
  }
}

const isStrings = (value: unknown): value is readonly string[] =>
  Array.isArray(value) && value.every((item) => typeof item === 'string');
