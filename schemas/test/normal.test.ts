import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import {
  type Bodies,
  type FactType,
  type Sealer,
  factTypes,
  fromWire,
  decodeWire,
  encodeWire,
  normal,
  toWire,
} from '../src/index.ts';
import { bodyOf } from './arbitrary.ts';

const open: Sealer = { seal: (_, __, plain) => Buffer.from(plain), open: (_, __, sealed) => Buffer.from(sealed) };

function read<T extends FactType>(type: T, body: Bodies[T]): Bodies[T] {
  const { wire } = decodeWire(encodeWire(type, toWire(type, body, 'c', open)));
  return fromWire(type, wire, 'c', open);
}

for (const type of factTypes) {
  test(`the normal form of ${type} is what reading gives, whatever else the writer passed`, () => {
    fc.assert(
      fc.property(bodyOf(type), (body) => {
        assert.equal(normal(type, body), read(type, body));
        const more: typeof body = Object.assign({ nobody_asked_for: 1 }, body);
        assert.equal(normal(type, more), read(type, body));
      }),
      { numRuns: 25 },
    );
  });
}

test('half of a surrogate pair becomes what UTF-8 makes of it', () => {
  const body = {
    text: 'a\ud83d',
    in_reply_to: null,
    request: { action: 'a', target: '', person: 'p', ip: '', user_agent: '' },
  };
  const made = normal('message.posted', body);
  assert.is(made.text, 'a\ufffd');
  assert.equal(read('message.posted', made), made);
});

test('what is not valid is left for the encoder to name', () => {
  for (const text of [1, null, undefined, ['x'], new Map()]) {
    const body = normal('message.posted', { text, in_reply_to: null, request: 'none' } as never);
    assert.throws(() => encodeWire('message.posted', body as never), /message.posted: (text|request)/);
  }
});

test('a copy shares nothing that could be changed', () => {
  const tool_calls = [{ id: '1', name: 'x', args: '{}' }];
  const [body] = fc.sample(bodyOf('step.settled'), 1);
  const made = normal('step.settled', { ...body!, tool_calls });
  tool_calls[0]!.name = 'y';
  assert.is(made.tool_calls[0]?.name, 'x');
});

test.run();
