/** What a PNG holds, by the PNG specification: chunks with their checksums, and pixels unfiltered row by row. */
import { crc32, inflateSync } from 'node:zlib';

export interface Picture {
  readonly width: number;
  readonly height: number;
  /** Different pixels. */
  readonly colours: number;
}

const signature = Buffer.from('89504e470d0a1a0a', 'hex');
const channels: Readonly<Record<number, number>> = { 0: 1, 2: 3, 3: 1, 4: 2, 6: 4 };

/** @throws when it is no whole PNG of 8 bits a sample */
export function pictureOf(bytes: Buffer): Picture {
  if (!bytes.subarray(0, 8).equals(signature)) throw new Error('no PNG signature');
  const chunks = chunksOf(bytes);
  const head = chunks.find(({ type }) => type === 'IHDR')?.data;
  if (!head || chunks.at(-1)?.type !== 'IEND') throw new Error('the PNG has no beginning or no end');
  const [width, height, depth, kind] = [head.readUInt32BE(0), head.readUInt32BE(4), head[8], head[9] ?? 0];
  if (depth !== 8 || head[12] !== 0) throw new Error('only 8 bits a sample without interlace are read here');
  const data = inflateSync(Buffer.concat(chunks.filter(({ type }) => type === 'IDAT').map((chunk) => chunk.data)));
  return { width, height, colours: coloursOf(data, height, width, channels[kind] ?? 1) };
}

function chunksOf(bytes: Buffer): { readonly type: string; readonly data: Buffer }[] {
  const chunks = [];
  for (let at = 8; at < bytes.length;) {
    const length = bytes.readUInt32BE(at);
    const body = bytes.subarray(at + 4, at + 8 + length);
    if (crc32(body) !== bytes.readUInt32BE(at + 8 + length)) throw new Error('a chunk of the PNG is damaged');
    chunks.push({ type: body.subarray(0, 4).toString('latin1'), data: body.subarray(4) });
    at += 12 + length;
  }
  return chunks;
}

function coloursOf(data: Buffer, height: number, width: number, size: number): number {
  const line = width * size;
  if (data.length !== height * (line + 1)) throw new Error('the PNG has not as many pixels as it says');
  const seen = new Set<string>();
  let above: Uint8Array = new Uint8Array(line);
  for (let row = 0; row < height; row += 1) {
    const start = row * (line + 1);
    above = unfilter(data.subarray(start + 1, start + 1 + line), data[start] ?? 0, above, size);
    for (let at = 0; at < line; at += size) seen.add(above.subarray(at, at + size).join());
  }
  return seen.size;
}

function unfilter(coded: Uint8Array, filter: number, above: Uint8Array, size: number): Uint8Array {
  const row = new Uint8Array(coded);
  for (let at = 0; at < row.length; at += 1) {
    const [left, up, corner] = [row[at - size] ?? 0, above[at] ?? 0, at < size ? 0 : (above[at - size] ?? 0)];
    row[at] = (row[at] ?? 0) + [0, left, up, (left + up) >> 1, paeth(left, up, corner)][filter]!;
  }
  return row;
}

function paeth(left: number, up: number, corner: number): number {
  const guess = left + up - corner;
  const [a, b, c] = [Math.abs(guess - left), Math.abs(guess - up), Math.abs(guess - corner)];
  return a <= b && a <= c ? left : b <= c ? up : corner;
}
