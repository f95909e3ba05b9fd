import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { demultiplexer, parseEnded } from '../src/domain/output.ts';
import { transcript } from '../src/domain/transcript.ts';

const nonce = 'a'.repeat(32);
const trailer = Buffer.from(`\n${nonce} {"exit":0,"error":null,"skipped":[]}\n`);

/** The multiplexed form of a frame. */
function framed(stream: number, data: Uint8Array): Buffer {
  const header = Buffer.alloc(8);
  header[0] = stream;
  header.writeUInt32BE(data.length, 4);
  return Buffer.concat([header, data]);
}

/** The bytes in pieces that end at the given places. */
function cutAt(bytes: Uint8Array, places: readonly number[]): readonly Uint8Array[] {
  const ends = [...new Set(places.map((place) => place % (bytes.length + 1)))].toSorted((a, b) => a - b);
  return [...ends, bytes.length].map((end, index) => bytes.subarray(index === 0 ? 0 : ends[index - 1], end));
}

test('however the stream is cut, output, ending and archive come out whole', () => {
  const bytes = fc.uint8Array({ maxLength: 300 });
  fc.assert(
    fc.property(bytes, bytes, bytes, fc.array(fc.nat(), { maxLength: 20 }), (out, err, archive, places) => {
      const stream = Buffer.concat([framed(2, err), framed(1, Buffer.concat([out, trailer, archive]))]);
      const demultiplex = demultiplexer();
      const heard = transcript(nonce, 1_000);
      const got = cutAt(stream, places)
        .flatMap((piece) => demultiplex(piece))
        .map((frame) => heard.feed(frame) ?? new Uint8Array(0));
      assert.equal(Buffer.from(heard.stdout()).toString('hex'), Buffer.from(out).toString('hex'));
      assert.equal(Buffer.from(heard.stderr()).toString('hex'), Buffer.from(err).toString('hex'));
      assert.is(Buffer.concat(got).toString('hex'), Buffer.from(archive).toString('hex'));
      assert.is(heard.ended()?.exit, 0);
      assert.not.ok(heard.flooded());
    }),
  );
});

test('more output than the cap is a flood, and what is over is not kept', () => {
  const heard = transcript(nonce, 100);
  for (let n = 0; n < 100; n++) heard.feed({ stream: n % 2 === 0 ? 'stdout' : 'stderr', data: Buffer.alloc(30, 'x') });
  assert.ok(heard.flooded());
  assert.ok(heard.stdout().length + heard.stderr().length <= 130);
});

test('what is no ending of a supervisor is taken for none', () => {
  for (const line of ['', 'x', 'null', '[]', '{}', '{"exit":0}', '{"skipped":7}'])
    assert.is(parseEnded(line), null, line);
  assert.equal(parseEnded('{"exit":"0","error":5,"skipped":[["a","b"],["c"],7]}'), {
    exit: null,
    error: null,
    skipped: [['a', 'b']],
  });
});

test.run();
