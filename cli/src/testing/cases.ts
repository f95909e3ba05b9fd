/** What the test command runs: the static checks and every test file. */
import { access, glob } from 'node:fs/promises';
import { join } from 'node:path';
import { root } from '../root.ts';
import { judgeCheck, judgeFile, type Run, type Verdict } from './judge.ts';

export interface Case {
  /** What `--only` matches: a check's name or a file's path. */
  readonly name: string;
  readonly command: readonly string[];
  /** Kill timer. */
  readonly seconds: number;
  /** Runs while nothing else does: it starts whole systems. */
  readonly alone: boolean;
  readonly judge: (run: Run) => Verdict;
}

const bin = (name: string): string => join(root, 'node_modules/.bin', name);

function check(name: string, ...command: readonly string[]): Case {
  return { name, command, seconds: 180, alone: false, judge: judgeCheck };
}

/** Each is one case. */
export const checks: readonly Case[] = [
  check('lint', bin('oxlint'), '--type-aware'),
  check('format', bin('oxfmt'), '--check'),
  check('types', bin('tsc'), '--noEmit'),
  check('types of the page', bin('tsc'), '--noEmit', '-p', 'services/gateway/web'),
  check('knip', bin('knip')),
  check('schemas', process.execPath, 'schemas/src/generate.ts', '--check'),
];

/** Kill timer of a file by where it lies: units, real servers, whole systems. */
export function secondsFor(file: string): number {
  if (/(^|\/)e2e\//.test(file)) return 300;
  return /\/int\//.test(file) ? 120 : 60;
}

/** Full counts instead of CI's take so many times as long. */
const nightly = process.env['LOOM_NIGHTLY'] === '1';
const patience = nightly ? 40 : 1;

/** Most files beside a package or service start a server or two and share the machine; these start whole systems, cut and measure them, or count what is in the one engine. */
const startsSystem = (file: string): boolean => /(^|\/)e2e\/|^(test|cli|chaos|services\/sandbox)\/.*\bint\//.test(file);

export function fileCase(file: string): Case {
  return {
    name: file,
    command: [process.execPath, '--disable-warning=ExperimentalWarning', file],
    seconds: secondsFor(file) * patience,
    alone: startsSystem(file),
    judge: judgeFile,
  };
}

async function exists(file: string): Promise<boolean> {
  return access(file).then(
    () => true,
    () => false,
  );
}

/** Every test file below `dir`, by name; paths are relative to it. */
export async function testFiles(dir: string): Promise<string[]> {
  const files: string[] = [];
  const exclude = (name: string): boolean => name === 'node_modules' || name === '.loom' || name === '.git';
  for await (const file of glob('**/test/**/*.test.ts', { cwd: dir, exclude })) files.push(file);
  return files.toSorted();
}

/** All cases whose name contains `only` (a regular expression); all of them without one. */
export async function casesOf(only: string | undefined): Promise<Case[]> {
  const pattern = new RegExp(only ?? '');
  const withSchemas = await exists(join(root, 'schemas/src/generate.ts'));
  const all = [
    ...checks.filter(({ name }) => withSchemas || name !== 'schemas'),
    ...(await testFiles(root)).map(fileCase),
  ];
  return all.filter(({ name }) => pattern.test(name));
}
