/** A brief as a person gives it: words on the command line, or a file whose text names the data beside it. */
import { readFile, stat } from 'node:fs/promises';
import { basename, dirname, extname, relative, resolve, sep } from 'node:path';
import { Failure } from '../failure.ts';

export interface BriefFile {
  readonly name: string;
  readonly path: string;
  readonly size: number;
}

export interface Brief {
  readonly text: string;
  readonly files: readonly BriefFile[];
}

/** A brief's text and all files together, bytes (api.md). */
const MOST_BRIEF = 100 * 1024;
const MOST_FILES = 50 * 1024 * 1024;

/**
 * Reads `argument` as a file when one is there, else takes it as the brief itself; adds what `--attach` names.
 * @throws Failure 2 for what no gateway would take: nothing to read, too long, too large
 */
export async function readBrief(argument: string, attach: readonly string[]): Promise<Brief> {
  const file = await fileAt(argument);
  if (!file && looksLikeFile(argument))
    throw new Failure(2, `there is no file ${argument}`, ['give the path of a brief, or the brief itself in quotes']);
  const text = file ? await readFile(file.path, 'utf8') : argument;
  if (Buffer.byteLength(text) > MOST_BRIEF)
    throw new Failure(2, `the brief has ${Buffer.byteLength(text)} bytes, at most ${MOST_BRIEF} are taken`, [
      'put the data into a file and attach it with --attach',
    ]);
  const named = file ? await filesNamedIn(text, dirname(file.path)) : [];
  const attached = await Promise.all(
    attach.map(
      async (path) => (await fileAt(path)) ?? Promise.reject(new Failure(2, `there is no file ${path} to attach`)),
    ),
  );
  return { text, files: distinct([...named, ...attached]) };
}

/** Files that a text names by a relative path, in backticks, quotes or plain, as far as they lie at or below `folder`. */
export async function filesNamedIn(text: string, folder: string): Promise<BriefFile[]> {
  const quoted = [...text.matchAll(/[`"'«“]([^`"'»”\n]{1,255})[`"'»”]/g)].map(([, name = '']) => name);
  const plain = [...text.matchAll(/[\p{L}\p{N}_./-]+\.[\p{L}\p{N}]{1,8}/gu)].map(([name]) => name);
  const below = [...new Set([...quoted, ...plain])].filter(
    (name) => !relative(folder, resolve(folder, name)).startsWith('..') && !name.startsWith(sep),
  );
  const found = await Promise.all(below.map((name) => fileAt(resolve(folder, name))));
  return distinct(found.filter((file) => file !== null));
}

const looksLikeFile = (argument: string): boolean =>
  !/\s/.test(argument) && (extname(argument) !== '' || argument.includes(sep));

async function fileAt(path: string): Promise<BriefFile | null> {
  const found = await stat(path).catch(() => null);
  return found?.isFile() ? { name: basename(path), path: resolve(path), size: found.size } : null;
}

function distinct(files: readonly BriefFile[]): BriefFile[] {
  const unique = [...new Map(files.map((file) => [file.path, file])).values()];
  const size = unique.reduce((sum, file) => sum + file.size, 0);
  if (size > MOST_FILES) throw new Failure(2, `the files have ${size} bytes together, at most ${MOST_FILES} are taken`);
  return unique;
}
