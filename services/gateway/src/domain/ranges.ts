/** Bytes `start` to `end`, both included. */
export interface Range {
  readonly start: number;
  readonly end: number;
}

/** One range of a `Range` header (RFC 9110 14.2); null asks for the whole: no header, another unit, several ranges, nonsense. */
export function rangeOf(header: string | undefined, size: number): Range | 'unsatisfiable' | null {
  const suffix = /^bytes=-(\d+)$/.exec(header ?? '');
  if (suffix !== null) return within({ start: Math.max(0, size - Number(suffix[1])), end: size - 1 }, size);
  const match = /^bytes=(\d+)-(\d*)$/.exec(header ?? '');
  if (match === null) return null;
  const start = Number(match[1]);
  const end = match[2] === '' ? Number.POSITIVE_INFINITY : Number(match[2]);
  return end < start ? null : within({ start, end: Math.min(end, size - 1) }, size);
}

const within = (range: Range, size: number): Range | 'unsatisfiable' => (range.start >= size ? 'unsatisfiable' : range);
