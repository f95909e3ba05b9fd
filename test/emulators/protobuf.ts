/** One field of a protobuf message: `value` for varints, `bytes` for the rest. */
export interface Field {
  readonly number: number;
  readonly value: number;
  readonly bytes: Buffer;
}

interface Read {
  readonly value: number;
  readonly next: number;
}

/** A base-128 varint; over 2^53 it loses digits, which no caller here minds. @throws RangeError at a cut-off message */
function varint(bytes: Buffer, at: number): Read {
  let value = 0;
  for (let index = 0; index < 10; index += 1) {
    const byte = bytes.readUInt8(at + index);
    value += (byte & 0x7f) * 2 ** (7 * index);
    if (byte < 0x80) return { value, next: at + index + 1 };
  }
  throw new RangeError('a varint of more than ten bytes');
}

const empty = Buffer.alloc(0);

function fixed(bytes: Buffer, at: number, length: number): Buffer {
  if (at + length > bytes.length) throw new RangeError('a field is longer than its message');
  return bytes.subarray(at, at + length);
}

/** The fields of a message in wire order (types 0 varint, 1 and 5 fixed, 2 length-delimited). */
export function fieldsOf(bytes: Buffer): Field[] {
  const fields: Field[] = [];
  for (let at = 0; at < bytes.length;) {
    const tag = varint(bytes, at);
    const number = Math.floor(tag.value / 8);
    const body = bodyAt(bytes, tag.next, tag.value % 8);
    fields.push({ number, value: body.value, bytes: body.bytes });
    at = body.next;
  }
  return fields;
}

function bodyAt(bytes: Buffer, at: number, wireType: number): { value: number; bytes: Buffer; next: number } {
  if (wireType === 0) return { ...varint(bytes, at), bytes: empty };
  if (wireType === 1) return { value: 0, bytes: fixed(bytes, at, 8), next: at + 8 };
  if (wireType === 5) return { value: 0, bytes: fixed(bytes, at, 4), next: at + 4 };
  if (wireType !== 2) throw new RangeError(`wire type ${wireType}`);
  const length = varint(bytes, at);
  return { value: 0, bytes: fixed(bytes, length.next, length.value), next: length.next + length.value };
}
