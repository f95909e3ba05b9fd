/** One frame of a container's attached stream. */
export interface Frame {
  readonly stream: 'stdout' | 'stderr';
  readonly data: Uint8Array;
}

/** Docker's multiplexed stream: 1 byte stream, 3 zero bytes, 4 bytes length (big endian), data. Returns the data as it comes, a frame may come in pieces. */
export function demultiplexer(): (chunk: Uint8Array) => readonly Frame[] {
  let header = new Uint8Array(0);
  let stream: Frame['stream'] = 'stdout';
  let left = 0;
  return (chunk) => {
    const frames: Frame[] = [];
    for (let at = 0; at < chunk.length;) {
      const wanted = left > 0 ? left : 8 - header.length;
      const part = chunk.subarray(at, at + wanted);
      at += part.length;
      if (left > 0) {
        left -= part.length;
        frames.push({ stream, data: part });
        continue;
      }
      header = joined(header, part);
      if (header.length < 8) continue;
      stream = header[0] === 2 ? 'stderr' : 'stdout';
      left = new DataView(header.buffer, header.byteOffset).getUint32(4);
      header = new Uint8Array(0);
    }
    return frames;
  };
}

/** How the supervisor says that the code ended. Untrusted. */
export interface Ended {
  readonly exit: number | null;
  readonly error: string | null;
  readonly skipped: readonly (readonly [string, string])[];
}

/** Reads what follows the nonce; null when it is not what a supervisor says. */
export function parseEnded(line: string): Ended | null {
  try {
    const value = JSON.parse(line) as Partial<Ended> | null;
    if (value === null || typeof value !== 'object' || !Array.isArray(value.skipped)) return null;
    const skipped = value.skipped.filter(isPair).slice(0, 20);
    return {
      exit: Number.isInteger(value.exit) ? (value.exit ?? null) : null,
      error: typeof value.error === 'string' ? value.error : null,
      skipped,
    };
  } catch {
    return null;
  }
}

const isPair = (value: unknown): value is readonly [string, string] =>
  Array.isArray(value) && value.length === 2 && value.every((part) => typeof part === 'string' && part.length < 4096);

export function joined(...parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
