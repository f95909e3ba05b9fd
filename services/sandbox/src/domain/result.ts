import type { Limits } from './limits.ts';
import { shown } from './limits.ts';

/** How a run ended. `vanished`: the container ended without a word, e.g. because the code stopped its supervisor. */
export type Ending =
  | { readonly kind: 'exited'; readonly exitCode: number }
  | { readonly kind: 'timeout' | 'output_limit' | 'killed' | 'vanished' | 'no_space' };

export interface Run {
  readonly ending: Ending;
  readonly stdout: Uint8Array;
  readonly stderr: Uint8Array;
  readonly seconds: number;
  readonly files: readonly { readonly path: string; readonly content: Uint8Array }[];
  /** Paths below final/ that were not taken, and why. */
  readonly skipped: readonly (readonly [path: string, reason: string])[];
}

export interface Verdict {
  readonly outcome: 'completed' | 'failed' | 'refused';
  /** Empty when completed. */
  readonly code: string;
  readonly exitCode: number | null;
  /** First line of the result, in words for the model. */
  readonly headline: string;
}

const OUT_OF_MEMORY = 137;

/** What a run comes to as an outcome of its slot. */
export function verdict(run: Run, limits: Limits): Verdict {
  const took = `(${run.seconds.toFixed(1)} s)`;
  const failed = (code: string, headline: string): Verdict => ({ outcome: 'failed', code, exitCode: null, headline });
  switch (run.ending.kind) {
    case 'exited':
      return exited(run.ending.exitCode, took, limits);
    case 'timeout':
      return failed(
        'timeout',
        `stopped after ${limits.wallClockMs / 1000} s, the limit of wall-clock time: do less, or work in smaller parts ${took}`,
      );
    case 'output_limit':
      return failed(
        'output_limit',
        `stopped: more than ${mebibytes(limits.outputBytes)} of output; print less, or write to a file under final/ ${took}`,
      );
    case 'no_space':
      return failed(
        'no_space',
        `the input files do not fit into the workspace of ${mebibytes(limits.scratchBytes)} ${took}`,
      );
    case 'vanished':
      return failed(
        'workspace_ended',
        `the workspace ended before the code did: it may have killed its own processes ${took}`,
      );
    case 'killed':
      return { outcome: 'refused', code: 'killed', exitCode: null, headline: `stopped: the job was killed ${took}` };
  }
}

function exited(exitCode: number, took: string, limits: Limits): Verdict {
  if (exitCode === 0) return { outcome: 'completed', code: '', exitCode, headline: `exit code 0 ${took}` };
  if (exitCode !== OUT_OF_MEMORY)
    return { outcome: 'failed', code: 'exit_nonzero', exitCode, headline: `exit code ${exitCode} ${took}` };
  const words = `it needed more than the limit of ${mebibytes(limits.memoryBytes)} of memory (files in the workspace count): work in chunks`;
  return {
    outcome: 'failed',
    code: 'out_of_memory',
    exitCode,
    headline: `exit code ${exitCode} ${took}, killed: ${words}`,
  };
}

/** What the model is shown of a run. */
export function resultText(run: Run, limits: Limits): string {
  const files = run.files.map(({ path, content }) => `${path} (${content.length} bytes)`);
  const skipped = run.skipped.map(([path, reason]) => `not taken: ${printable(path)} (${reason})`);
  return [
    verdict(run, limits).headline,
    '--- stdout',
    cut(run.stdout, shown.stdout),
    '--- stderr',
    cut(run.stderr, shown.stderr),
    '--- files',
    [...files, ...skipped].join('\n'),
  ].join('\n');
}

/** The beginning and the end of what is too long, with the number of bytes left out between; never half a character. */
export function cut(bytes: Uint8Array, { head, tail }: { readonly head: number; readonly tail: number }): string {
  if (bytes.length <= head + tail) return printable(text(bytes)).trimEnd();
  const end = boundary(bytes, head);
  const start = boundary(bytes, bytes.length - tail);
  const left = `\n[… ${start - end} bytes left out here …]\n`;
  return printable(text(bytes.subarray(0, end)) + left + text(bytes.subarray(start))).trimEnd();
}

/** Terminal sequences, e.g. for colours. */
const sequences = new RegExp(`${String.fromCharCode(27)}\\[[0-9;?]*[ -/]*[@-~]`, 'g');

/** Without terminal sequences and control characters but tab and newline: what is left can be sent to any model and any terminal. */
export function printable(value: string): string {
  return value
    .replace(/\r\n?/g, '\n')
    .replace(sequences, '')
    .replace(/(?![\n\t])\p{Cc}/gu, '');
}

const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);
const mebibytes = (bytes: number): string => `${bytes / 1024 / 1024} MB`;

/** The last index ≤ `at` where a UTF-8 character begins (or `at` itself when it is not UTF-8 anyway). */
function boundary(bytes: Uint8Array, at: number): number {
  for (let index = at; index > at - 4 && index > 0; index--) {
    if (((bytes[index] ?? 0) & 0xc0) !== 0x80) return index;
  }
  return at;
}
