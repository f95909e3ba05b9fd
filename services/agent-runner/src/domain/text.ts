/** Most bytes that one reading shows. */
const MOST = 32 * 1024;

/** Bytes that are looked at to tell text from other things. */
const SAMPLE = 8 * 1024;

export interface Decoded {
  readonly text: string;
  readonly encoding: 'UTF-8' | 'UTF-16' | 'Latin-1';
}

/** The content as text: by its byte order mark, else UTF-8, else Latin-1; null when it is no text. */
export function decode(content: Uint8Array): Decoded | null {
  const [a, b] = content;
  if (a === 0xff && b === 0xfe) return { text: new TextDecoder('utf-16le').decode(content), encoding: 'UTF-16' };
  if (a === 0xfe && b === 0xff) return { text: new TextDecoder('utf-16be').decode(content), encoding: 'UTF-16' };
  if (isBinary(content.subarray(0, SAMPLE))) return null;
  try {
    return { text: new TextDecoder('utf-8', { fatal: true }).decode(content), encoding: 'UTF-8' };
  } catch {
    return {
      text: Buffer.from(content.buffer, content.byteOffset, content.byteLength).toString('latin1'),
      encoding: 'Latin-1',
    };
  }
}

/** Text has no zero bytes and hardly any control characters beside tab, line feed, carriage return, form feed and escape. */
function isBinary(sample: Uint8Array): boolean {
  if (sample.includes(0)) return true;
  const controls = sample.filter((byte) => byte < 32 && ![9, 10, 12, 13, 27].includes(byte)).length;
  return controls > sample.length / 20;
}

export interface Reading {
  readonly name: string;
  readonly offset: number;
  readonly limit: number;
}

/** A part of a text with a line ahead that says where it stands; offsets are characters. At most 32 KiB, however many characters those are. */
export function excerpt({ text, encoding }: Decoded, { name, offset, limit }: Reading): string {
  const part = within(text.slice(offset, offset + limit));
  const end = Math.min(offset + part.length, text.length);
  const more = end < text.length ? `; go on with offset ${end}` : '; this is the end';
  return `${name}: characters ${Math.min(offset, text.length)} to ${end} of ${text.length} (${encoding})${more}\n\n${part}`;
}

function within(part: string): string {
  if (Buffer.byteLength(part) <= MOST) return part;
  const cut = Buffer.from(part).subarray(0, MOST).toString('utf8');
  return cut.replace(/\uFFFD+$/, '');
}
