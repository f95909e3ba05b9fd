import { LoomError } from '@loom/service';
import { factTypes } from '@loom/schemas';
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { decisionFilter, parseSubject, partitionOf, prefixOf, streamNames, streamOf, subjectOf } from '../src/index.ts';

const token = fc.stringMatching(/^[a-z0-9_-]{1,40}$/);
const code = (work: () => unknown): string => {
  try {
    work();
  } catch (cause) {
    return LoomError.from(cause).code;
  }
  return 'none';
};

test('partitions are the same for ever: streams and fences stand on them', () => {
  assert.is(partitionOf('job_000000000000000000000000000', 'tacme'), 24);
  assert.is(partitionOf('job_0ab', 'tother'), partitionOf('job_0ab', 'tacme'));
  assert.is(partitionOf('account', 'tacme'), 7);
  assert.is(partitionOf('system', '_'), 17);
});

test('jobs spread evenly over the 64 partitions', () => {
  const counts = Array.from({ length: 64 }, () => 0);
  for (let i = 0; i < 6400; i++) counts[partitionOf(`job_0${i.toString(36).padStart(26, '0')}`, 't')]!++;
  assert.ok(Math.min(...counts) > 50 && Math.max(...counts) < 160, counts.join(' '));
});

test('a subject says again what it was made of', () => {
  fc.assert(
    fc.property(token, token, token, fc.constantFrom(...factTypes), (tenant, stream, key, type) => {
      const at = { tenant, stream };
      const subject = subjectOf(at, 'sandbox', type, key);
      assert.equal(parseSubject(subject), { ...at, source: 'sandbox', type, key });
      assert.ok(subject.startsWith(`${prefixOf(at)}.`));
      assert.ok(streamNames(4).includes(streamOf(at, 4)));
    }),
  );
});

test('tokens that would change a subject are refused', () => {
  for (const bad of ['', 'a.b', '*', '>', 'A', 'a b', 'ä', 'a'.repeat(161)]) {
    assert.is(
      code(() => subjectOf({ tenant: 't1', stream: 'job_0' }, 'gateway', 'job.submitted', bad)),
      'bad_request',
    );
    assert.is(
      code(() => decisionFilter({ tenant: bad, stream: 'job_0' })),
      'bad_request',
    );
    assert.is(
      code(() => decisionFilter({ tenant: 't1', stream: bad })),
      'bad_request',
    );
  }
});

test('what is no subject of a known fact is undecodable', () => {
  const good = subjectOf({ tenant: 't1', stream: 'job_0' }, 'gateway', 'job.submitted', '0');
  const bad = [
    good.replace('loom', 'weft'),
    `${good}.1`,
    good.replace('.gateway.', '.nobody.'),
    good.replace('submitted', 'sung'),
    'loom',
    '',
  ];
  for (const subject of bad)
    assert.is(
      code(() => parseSubject(subject)),
      'undecodable',
      subject,
    );
});

test('an address is not where its subject has another partition', () => {
  const good = subjectOf({ tenant: 't1', stream: 'job_0' }, 'gateway', 'job.submitted', '0');
  const [root, g, p, ...rest] = good.split('.');
  const moved = [root, g, String((Number(p) + 1) % 64), ...rest].join('.');
  assert.is(
    code(() => parseSubject(moved)),
    'undecodable',
  );
});

test.run();
