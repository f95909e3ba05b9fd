import { LoomError } from '@loom/service';
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { Block } from '../src/block.ts';
import { factHeaders, sumOf, verify } from '../src/headers.ts';
import { parseSubject, subjectOf } from '../src/subjects.ts';

const at = { tenant: 'tacme', stream: 'job_01' };
const subject = subjectOf(at, 'orchestrator', 'step.requested', 'a0-1-1');
const body = Buffer.from('a body of some bytes');
const stamp = {
  id: 'f'.repeat(64),
  writer: 'orchestrator',
  basis: 7,
  chain: 'c0ffee',
  decider: '4',
  traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
};
const { headers } = factHeaders(subject, parseSubject(subject), stamp, body, { seq: 3, filter: 'loom.>' });
const written = Buffer.from(headers.encode()).toString();

/** Whether a message with this block of headers, as it comes from the server, has its sum. */
function holds(text: string, bytes: Uint8Array = body): boolean {
  try {
    verify({ stream: 'S', subject, seq: 1, time: 0, headers: Block.read(Buffer.from(text)), body: bytes });
    return true;
  } catch (cause) {
    assert.is(LoomError.from(cause).code, 'damaged');
    return false;
  }
}

const lines = written.trimEnd().split('\r\n').slice(1);
const blockOf = (some: readonly string[]): string => `NATS/1.0\r\n${some.join('\r\n')}\r\n\r\n`;

test('a fact as it was written has its sum, with what a server adds, and in whatever order', () => {
  assert.is(blockOf(lines), written);
  assert.ok(holds(written));
  assert.ok(holds(blockOf([...lines, 'Nats-Stream: S', 'Nats-Sequence: 12'])));
  assert.ok(holds(blockOf(['Nats-Stream: S', ...lines])));
  fc.assert(
    fc.property(fc.shuffledSubarray(lines, { minLength: lines.length }), (mixed) => {
      assert.ok(holds(blockOf(mixed)));
    }),
  );
});

test('a header more or less, another spelling of one, another subject and another body are damage', () => {
  for (const at of lines.keys()) {
    const line = lines[at]!;
    if (line.startsWith('Nats-')) continue;
    assert.not.ok(holds(blockOf(lines.toSpliced(at, 1))), `without ${line}`);
    for (const more of ['zz: 1', 'ce-z: 1', 'nats-z: 1', 'loom: 1'])
      assert.not.ok(holds(blockOf(lines.toSpliced(at + 1, 0, more))), `${more} behind ${line}`);
  }
  assert.not.ok(holds(blockOf([...lines, 'zz: 1'])), 'behind what the server adds');
  assert.not.ok(holds(written, Buffer.from('a body of other bytes')));
  fc.assert(
    fc.property(fc.nat(written.length - 1), fc.constantFrom('0', 'a', 'z', 'Z', '-', ':', ' '), (place, letter) => {
      const changed = written.slice(0, place) + letter + written.slice(place + 1);
      const { pairs } = Block.read(Buffer.from(changed));
      const sum = pairs.find(([name]) => name === 'loom-sum')?.[1];
      assert.is(holds(changed), sum === sumOf(subject, pairs, body), changed);
    }),
    { numRuns: 2000 },
  );
});

test.run();
