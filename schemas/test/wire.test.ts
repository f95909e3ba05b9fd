import { LoomError } from '@loom/service';
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import {
  type KeyName,
  type Sealer,
  type Wire,
  canonical,
  clearOf,
  decodeWire,
  emptyOpened,
  encodeWire,
  factTypes,
  fromWire,
  isContentFree,
  schemas,
  sealedPaths,
  toWire,
} from '../src/index.ts';
import { fingerprint } from '../src/fingerprint.ts';
import { bodyOf } from './arbitrary.ts';

const context = 't1/job_0a/type/key';
const runs = { numRuns: 25 };

/** Not a seal, but it tells where and under which key something was sealed. */
const labelled: Sealer = {
  seal: (key, at, plain) => Buffer.concat([label(key, at), plain]),
  open: (key, at, sealed) => {
    const head = label(key, at);
    if (!head.equals(sealed.subarray(0, head.length))) throw new LoomError('bad_seal');
    return Buffer.from(sealed.subarray(head.length));
  },
};
const label = (key: KeyName, at: string): Buffer => Buffer.from(`<${key}|${at}>`);

function codeOf(work: () => unknown): string {
  try {
    work();
    return 'none';
  } catch (cause) {
    return cause instanceof LoomError ? cause.code : `not a LoomError: ${String(cause)}`;
  }
}

/** All that a value holds as text, bytes too. */
const inspect = (value: unknown): string =>
  JSON.stringify(value, (_, part: unknown) => (isBytes(part) ? Buffer.from(part.data).toString('latin1') : part));
const isBytes = (part: unknown): part is { data: number[] } =>
  typeof part === 'object' && part !== null && 'type' in part && part.type === 'Buffer';

const at = (wire: Wire, path: string): unknown =>
  path.split('.').reduce<unknown>((value, name) => (value as Record<string, unknown>)[name], wire);

for (const type of factTypes) {
  test(`${type} comes back as it was written`, () => {
    fc.assert(
      fc.property(bodyOf(type), (body) => {
        const bytes = encodeWire(type, toWire(type, body, context, labelled));
        const read = decodeWire(bytes);
        assert.is(read.type, type);
        assert.equal(fromWire(type, read.wire, context, labelled), body);
        assert.equal(encodeWire(type, read.wire), bytes);
      }),
      runs,
    );
  });

  test(`${type} shows nothing sealed among its clear fields`, () => {
    fc.assert(
      fc.property(bodyOf(type), (body) => {
        const clear = clearOf(type, toWire(type, body, context, labelled)) as Wire;
        for (const path of sealedPaths(type)) assert.is(at(clear, path), undefined);
        assert.not.match(inspect(clear), /<(content|call|tenant|person)\|/);
      }),
      runs,
    );
  });

  test(`${type} cut, lengthened or damaged fails as a LoomError or is another body`, () => {
    fc.assert(
      fc.property(bodyOf(type), fc.nat(), fc.integer({ min: 1, max: 255 }), (body, where, flip) => {
        const bytes = encodeWire(type, toWire(type, body, context, labelled));
        const damaged = Buffer.from(bytes);
        const i = where % bytes.length;
        damaged[i] = (damaged[i] ?? 0) ^ flip;
        assert.match(
          codeOf(() => decodeWire(damaged)),
          /^(none|undecodable|unknown_schema)$/,
        );
        assert.is(
          codeOf(() => decodeWire(bytes.subarray(0, i))),
          'undecodable',
        );
        assert.is(
          codeOf(() => decodeWire(Buffer.concat([bytes, Buffer.from([0])]))),
          'undecodable',
        );
      }),
      runs,
    );
  });
}

test('bytes begin with C3 01 and the little-endian CRC-64-AVRO of the schema', () => {
  assert.is(fingerprint('"null"').readBigUInt64LE(), 0x63dd24e7cc258f8an);
  assert.is(fingerprint('"string"').readBigUInt64LE(), 0x8f014872634503c7n);
  const bytes = encodeWire('content.shredded', { job: 'job_0a' });
  assert.is(bytes.toString('hex', 0, 2), 'c301');
  assert.is(schemas.get(bytes.toString('hex', 2, 10))?.type, 'content.shredded');
  assert.equal(new Set([...schemas.values()].map(({ type }) => type)), new Set(factTypes));
});

test('any bytes at all decode or fail as a LoomError', () => {
  const header = encodeWire('decision.made', { items: [] }).subarray(0, 10);
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), fc.boolean(), (bytes, known) => {
      const code = codeOf(() => decodeWire(known ? Buffer.concat([header, bytes]) : bytes));
      assert.match(code, /^(none|undecodable|unknown_schema)$/);
    }),
    { numRuns: 2000 },
  );
});

test('a count that promises more than there is fails at once', () => {
  const header = encodeWire('decision.made', { items: [] }).subarray(0, 10);
  for (const count of ['feffffffffffffffff01', 'ffffffffffffffffff01', 'feffffff0f', 'ffffffffffffffffffff01']) {
    assert.is(
      codeOf(() => decodeWire(Buffer.concat([header, Buffer.from(count, 'hex')]))),
      'undecodable',
    );
  }
});

test('a sealed field opens in its own place and under its own key alone', () => {
  fc.assert(
    fc.property(bodyOf('job.submitted'), (body) => {
      const wire = toWire('job.submitted', body, context, labelled);
      assert.is(
        codeOf(() => fromWire('job.submitted', wire, `${context}x`, labelled)),
        'bad_seal',
      );
      const swapped = { ...wire, brief: wire['metadata'], metadata: wire['brief'] };
      assert.is(
        codeOf(() => fromWire('job.submitted', swapped, context, labelled)),
        'bad_seal',
      );
    }),
    runs,
  );
});

test('keys follow class and loom.key', () => {
  const used = new Set<string>();
  const noting: Sealer = {
    ...labelled,
    seal: (key, path) => (used.add(`${key} ${path.slice(context.length + 1)}`), Buffer.alloc(1)),
  };
  for (const type of ['artifact.written', 'run.requested', 'job.failed', 'session.opened'] as const) {
    const [body] = fc.sample(bodyOf(type), 1);
    if (body !== undefined) toWire(type, body, context, noting);
  }
  for (const wanted of ['tenant data_key', 'call args', 'content reason', 'person request.ip'])
    assert.ok(used.has(wanted), wanted);
});

test('the canonical form ignores what is not the identity of the act, and the order of maps', () => {
  fc.assert(
    fc.property(bodyOf('job.submitted'), bodyOf('job.submitted'), (body, other) => {
      const own = canonical('job.submitted', body);
      assert.equal(canonical('job.submitted', { ...body, request: other.request }), own);
      const reversed = Object.fromEntries(Object.entries(body.models).toReversed());
      assert.equal(canonical('job.submitted', { ...body, models: reversed }), own);
      assert.not.equal(canonical('job.submitted', { ...body, brief: `${body.brief}!` }), own);
      assert.not.equal(canonical('job.submitted', { ...body, owner: `${body.owner}!` }), own);
    }),
    runs,
  );
  const settled = fc.sample(bodyOf('step.settled'), 1)[0];
  if (settled === undefined) throw new Error('no sample');
  assert.equal(
    canonical('step.settled', { ...settled, latency_ms: 1 }),
    canonical('step.settled', { ...settled, latency_ms: 2 }),
  );
  assert.not.equal(
    canonical('step.settled', { ...settled, text: 'a' }),
    canonical('step.settled', { ...settled, text: 'b' }),
  );
});

test('every fact has a canonical form', () => {
  for (const type of factTypes)
    fc.assert(
      fc.property(bodyOf(type), (body) => Buffer.isBuffer(canonical(type, body))),
      { numRuns: 5 },
    );
});

test('a wrong value is refused by the name of its field, and is not told', () => {
  const body = { job: 'job_0a' };
  const failure = (work: () => unknown): LoomError => {
    try {
      work();
    } catch (cause) {
      if (cause instanceof LoomError) return cause;
    }
    throw new Error('no LoomError');
  };
  const cause = failure(() => encodeWire('budget.changed', { request: 'r', budget_micros: 2 ** 53 }));
  assert.equal(
    [cause.code, cause.field, cause.message],
    ['validation_failed', 'budget_micros', 'budget.changed: budget_micros is not long'],
  );
  assert.is(failure(() => encodeWire('content.shredded', { ...body, job: 5 })).field, 'job');
  const question = { agent: 'a1', question: 123456 as unknown as string };
  const sealed = failure(() => toWire('input.requested', question, context, labelled));
  assert.is(sealed.field, 'question');
  assert.not.ok(JSON.stringify([sealed.message, sealed.cause, sealed.stack]).includes('123456'));
});

test('content-free facts are those without a sealed or personal field', () => {
  assert.ok(isContentFree('step.requested'));
  assert.not.ok(isContentFree('tool.requested'));
  assert.not.ok(isContentFree('job.cancel-requested'));
  assert.equal(sealedPaths('job.cancel-requested'), ['request.ip', 'request.user_agent']);
});

test('the fields of a person whose key is gone read as empty', () => {
  const [body] = fc.sample(bodyOf('message.posted'), 1);
  if (body === undefined) throw new Error('no sample');
  const gone: Sealer = {
    ...labelled,
    open: (key, path, bytes) => (key === 'person' ? emptyOpened : labelled.open(key, path, bytes)),
  };
  const read = fromWire('message.posted', toWire('message.posted', body, context, labelled), context, gone);
  assert.equal([read.text, read.request.ip, read.request.user_agent], [body.text, '', '']);
});

test.run();
