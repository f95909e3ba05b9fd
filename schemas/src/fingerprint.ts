/** CRC-64-AVRO (the Avro specification's Rabin fingerprint), as the 8 little-endian bytes of a single-object header. */
export function fingerprint(canonicalSchema: string): Buffer {
  let crc = empty;
  for (const byte of Buffer.from(canonicalSchema, 'utf8')) {
    crc = (crc >> 8n) ^ (table[Number((crc ^ BigInt(byte)) & 0xffn)] ?? 0n);
  }
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(crc);
  return bytes;
}

const empty = 0xc15d213aa4d7a795n;

const table: readonly bigint[] = Array.from({ length: 256 }, (_, index) => {
  let value = BigInt(index);
  for (let bit = 0; bit < 8; bit++) value = (value >> 1n) ^ (empty & -(value & 1n));
  return value;
});
