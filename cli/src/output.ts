/**
 * Owns stdout and stderr of a command.
 * O1 with `--json`, stdout carries JSON lines and nothing else. O2 progress and remarks go to stderr.
 * O3 without a terminal, progress is plain lines: one when a task starts, one when it ends.
 */

export interface Progress {
  /** Sets how far the task is (0…1, null: not known) and what it does now. */
  at(fraction: number | null, note?: string): void;
  done(note?: string): void;
  failed(note?: string): void;
}

export interface Output {
  readonly json: boolean;
  /** A line for people on stdout; nothing with `--json`. */
  print(line: string): void;
  /** A remark for people on stderr. */
  note(line: string): void;
  /** One machine-readable line; nothing without `--json`. */
  record(value: object): void;
  task(label: string): Progress;
}

interface Stream {
  readonly isTTY?: boolean;
  readonly columns?: number;
  write(text: string): unknown;
}

/** Resolves when whoever reads has been handed all that was written: an exit before that would cut it off in a slow pipe. */
export async function drained(
  streams: readonly NodeJS.WritableStream[] = [process.stdout, process.stderr],
): Promise<void> {
  await Promise.all(streams.map((stream) => new Promise<void>((resolve) => void stream.write('', () => resolve()))));
}

/** `[#####-----]` */
export function bar(fraction: number, width: number): string {
  const full = Math.round(Math.min(1, Math.max(0, fraction)) * width);
  return `[${'#'.repeat(full)}${'-'.repeat(width - full)}]`;
}

const spinner = ['|', '/', '-', '\\'];

function plainTask(err: Stream, label: string): Progress {
  const started = Date.now();
  const end = (word: string, note?: string): void => {
    err.write(
      `${label}: ${word}${note === undefined ? '' : `, ${note}`} (${((Date.now() - started) / 1000).toFixed(1)} s)\n`,
    );
  };
  let said = '';
  err.write(`${label} …\n`);
  return {
    at: (_fraction, note) => {
      if (note !== undefined && note !== said) err.write(`${label}: ${(said = note)}\n`);
    },
    done: (note) => end('done', note),
    failed: (note) => end('failed', note),
  };
}

/** Redraws one line of the terminal five times a second. */
function liveTask(err: Stream, label: string): Progress {
  const started = Date.now();
  let fraction: number | null = null;
  let note = '';
  let turn = 0;
  const seconds = (): string => `${((Date.now() - started) / 1000).toFixed(0)} s`;
  const draw = (): void => {
    const gauge = fraction === null ? spinner[turn++ % 4] : `${bar(fraction, 20)} ${Math.round(fraction * 100)} %`;
    err.write(`\r\u001B[K${`${label} ${gauge} ${note} ${seconds()}`.slice(0, (err.columns ?? 80) - 1)}`);
  };
  const timer = setInterval(draw, 200);
  timer.unref();
  draw();
  const end = (mark: string, last?: string): void => {
    clearInterval(timer);
    err.write(`\r\u001B[K${mark} ${label}${last === undefined ? '' : `: ${last}`} (${seconds()})\n`);
  };
  return {
    at: (next, text) => {
      fraction = next;
      note = text ?? note;
    },
    done: (last) => end('✓', last),
    failed: (last) => end('✗', last),
  };
}

/** The output of one command. */
export function output(json: boolean, out: Stream = process.stdout, err: Stream = process.stderr): Output {
  return {
    json,
    print: (line) => void (json || out.write(`${line}\n`)),
    note: (line) => void err.write(`${line}\n`),
    record: (value) => void (json && out.write(`${JSON.stringify(value)}\n`)),
    task: (label) => (err.isTTY ? liveTask(err, label) : plainTask(err, label)),
  };
}
