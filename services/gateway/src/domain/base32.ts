const alphabet = '0123456789abcdefghjkmnpqrstvwxyz';

/** Lower-case Crockford base32, most significant bit first, cut to `length` characters. The bytes must hold 5 bits a character, or missing bits count as 0. */
export function base32(bytes: Uint8Array, length: number): string {
  let text = '';
  for (let at = 0; text.length < length; at += 5) text += alphabet[fiveBits(bytes, at)];
  return text;
}

function fiveBits(bytes: Uint8Array, at: number): number {
  const index = at >> 3;
  const pair = ((bytes[index] ?? 0) << 8) | (bytes[index + 1] ?? 0);
  return (pair >> (11 - (at & 7))) & 31;
}
