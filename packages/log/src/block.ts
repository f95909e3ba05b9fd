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
  /** What was read stays one text: a message may be in hand for long, and its pairs weigh ten times as much. */
  readonly #said: readonly Pair[] | string;

  constructor(said: readonly Pair[] | string, code = 0) {
    this.#said = said;
    this.code = code;
  }

  static read(bytes: Uint8Array): Block {
    const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString();
    return new Block(text, Number.parseInt(text.slice(version.length, text.indexOf('\r\n')), 10) || 0);
  }

  /** Of what was read they are made at each look. */
  get pairs(): readonly Pair[] {
    return typeof this.#said === 'string' ? pairsIn(this.#said) : this.#said;
  }

  /** The first value under exactly this name. */
  get(name: string): string | undefined {
    if (typeof this.#said !== 'string') return this.#said.find((pair) => pair[0] === name)?.[1];
    const needle = needleOf(name);
    const at = this.#said.indexOf(needle);
    if (at < 0) return undefined;
    const from = at + needle.length;
    const spaced = this.#said.charCodeAt(from) === 32;
    return this.#said.slice(spaced ? from + 1 : from, this.#said.indexOf('\r\n', from)).trim();
  }

  /** The lines before the header `name` as they came, `\n` behind each; null where headers that do not begin with `others` follow it, or this was not read. */
  linesBefore(name: string, others: string): string | null {
    if (typeof this.#said !== 'string') return null;
    const text = this.#said;
    const from = text.indexOf('\r\n') + 2;
    const upto = text.indexOf(`\r\n${name}: `, from - 2) + 2;
    if (upto < from) return null;
    let behind = text.indexOf('\r\n', upto) + 2;
    while (text.startsWith(others, behind)) behind = text.indexOf('\r\n', behind) + 2;
    return text.startsWith('\r\n', behind) ? text.slice(from, upto).replaceAll('\r\n', '\n') : null;
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

/** Where a header begins in a block; names come from this code alone. */
const needles = new Map<string, string>();

function needleOf(name: string): string {
  const known = needles.get(name) ?? `\r\n${name}:`;
  needles.set(name, known);
  return known;
}

function pairsIn(text: string): readonly Pair[] {
  const pairs: Pair[] = [];
  const lines = text.split('\r\n');
  for (let i = 1; i < lines.length; i++) {
    const line = lines[i]!;
    const colon = line.indexOf(':');
    if (colon > 0) pairs.push([line.slice(0, colon), line.slice(colon + 1).trim()]);
  }
  return pairs;
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
