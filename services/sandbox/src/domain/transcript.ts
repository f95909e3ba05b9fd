import { parseEnded } from './output.ts';
import type { Ended, Frame } from './output.ts';

/** What came out of a container so far: the code's output, how it ended, and then the archive of its files. */
export interface Transcript {
  readonly stdout: () => Uint8Array;
  readonly stderr: () => Uint8Array;
  /** Null until the supervisor has said it. */
  readonly ended: () => Ended | null;
  /** Takes a frame; returns bytes of the archive, if any. */
  readonly feed: (frame: Frame) => Uint8Array | null;
  /** Whether the code printed more than it may; what is over is not kept. */
  readonly flooded: () => boolean;
}

/** Splits the standard output at the line that begins with the nonce. `cap` bounds both outputs together, in bytes. */
export function transcript(nonce: string, cap: number): Transcript {
  const out = new Parts();
  const err = new Parts();
  let ended: Ended | null = null;
  const over = (): boolean => out.size + err.size > cap;
  const readEnd = (): Uint8Array | null => {
    const found = out.split(nonce);
    if (found === null) return null;
    ended = parseEnded(found.line);
    return ended === null ? null : found.rest;
  };
  const feedText = (data: Uint8Array): Uint8Array | null => {
    if (over()) return null;
    out.push(data);
    return readEnd();
  };
  return {
    stdout: () => out.whole().subarray(0, cap),
    stderr: () => err.whole().subarray(0, cap),
    ended: () => ended,
    flooded: () => over() && ended === null,
    feed: ({ stream, data }) => {
      if (stream === 'stdout') return ended === null ? feedText(data) : data;
      if (!over()) err.push(data);
      return null;
    },
  };
}

/** Bytes that grow; a mark is looked for only where it can newly be. */
class Parts {
  size = 0;
  private buffer = Buffer.alloc(4096);
  private searched = 0;

  push(part: Uint8Array): void {
    if (this.size + part.length > this.buffer.length) {
      const larger = Buffer.alloc(2 * (this.size + part.length));
      this.buffer.copy(larger, 0, 0, this.size);
      this.buffer = larger;
    }
    this.buffer.set(part, this.size);
    this.size += part.length;
  }

  whole(): Buffer {
    return this.buffer.subarray(0, this.size);
  }

  /** Cuts at `\n<nonce> <line>\n` once all of it is there: keeps what is before, returns the line and what follows. */
  split(nonce: string): { readonly line: string; readonly rest: Uint8Array } | null {
    const whole = this.whole();
    const mark = `\n${nonce} `;
    const start = whole.indexOf(mark, this.searched);
    this.searched = start === -1 ? Math.max(0, this.size - mark.length) : start;
    const end = start === -1 ? -1 : whole.indexOf('\n', start + mark.length);
    if (end === -1) return null;
    this.size = start;
    return { line: whole.toString('utf8', start + mark.length, end), rest: whole.subarray(end + 1) };
  }
}
