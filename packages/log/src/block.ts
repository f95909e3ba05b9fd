/**
 * A block of NATS headers, read in one pass and written in one piece. nats.js checks, copies and searches names once a header, which was
 * a tenth of a step's processor time; what is written here is made of tokens, numbers and hashes, and only line breaks are looked for.
 */
import { LoomError } from '@loom/service';
import { MsgImpl } from '@nats-io/nats-core/internal';
import type { Msg, MsgHdrs } from '@nats-io/nats-core';

export type Pair = readonly [name: string, value: string];

const version = 'NATS/1.0';
const lineBreak = /[\r\n]/;

export class Block {
  /** Of a status line such as `NATS/1.0 404`; 0 where there is none. */
  readonly code: number;
  readonly pairs: readonly Pair[];

  constructor(pairs: readonly Pair[], code = 0) {
    this.pairs = pairs;
    this.code = code;
  }

  static read(bytes: Uint8Array): Block {
    const lines = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString().split('\r\n');
    const pairs: Pair[] = [];
    for (let i = 1; i < lines.length; i++) {
      const line = lines[i]!;
      const colon = line.indexOf(':');
      if (colon > 0) pairs.push([line.slice(0, colon), line.slice(colon + 1).trim()]);
    }
    return new Block(pairs, Number.parseInt(lines[0]!.slice(version.length), 10) || 0);
  }

  /** The first value under exactly this name. */
  get(name: string): string | undefined {
    for (const pair of this.pairs) if (pair[0] === name) return pair[1];
    return undefined;
  }

  /** @throws LoomError `internal` for a value that would break the block */
  encode(): Uint8Array {
    let text = `${version}\r\n`;
    for (const [name, value] of this.pairs) {
      if (lineBreak.test(value)) throw new LoomError('internal', `the header ${name} holds a line break`);
      text += `${name}: ${value}\r\n`;
    }
    return Buffer.from(`${text}\r\n`);
  }

  /** All that `publish` of nats.js asks of headers is `encode`. */
  asHeaders(): MsgHdrs {
    return this as unknown as MsgHdrs;
  }
}

/** The headers of a message as they came, without nats.js reading them first. */
export function blockOf(message: Msg): Block | undefined {
  if (message instanceof MsgImpl) {
    const { _msg, _rdata } = message;
    return _msg.hdr > -1 ? Block.read(_rdata.subarray(0, _msg.hdr)) : undefined;
  }
  const { headers } = message;
  if (headers === undefined) return undefined;
  return new Block(
    [...headers].flatMap(([name, values]) => values.map((value): Pair => [name, value])),
    headers.code,
  );
}
