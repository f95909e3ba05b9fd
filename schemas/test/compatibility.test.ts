import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { incompatibilities } from '../src/compatibility.ts';
import { compile, decode, encode } from '../src/compiled.ts';
import { currentFacts, readFacts, releasedFacts } from '../src/files.ts';
import type { AvscFact, AvscField } from '../src/schema.ts';

const clear = (name: string, type: AvscField['type'], more: Partial<AvscField> = {}): AvscField => ({
  name,
  type,
  'loom.class': 'clear',
  ...more,
});
const sealed = (
  name: string,
  type: AvscField['type'],
  opened: AvscField['type'],
  more: Partial<AvscField> = {},
): AvscField => ({
  name,
  type,
  'loom.class': 'sealed',
  'loom.opened': opened,
  ...more,
});

const fact = (...fields: readonly AvscField[]): AvscFact => ({
  type: 'record',
  name: 'ThingHappened',
  namespace: 'loom',
  'loom.fact': 'thing.happened',
  'loom.sources': ['gateway'],
  'loom.streams': ['job'],
  'loom.slot': '0',
  'loom.when': 'Now and then.',
  fields,
});
const color = (...symbols: string[]): AvscField['type'] => ({ type: 'enum', name: 'Color', symbols });
const item = (...fields: readonly AvscField[]): AvscField['type'] => ({
  type: 'array',
  items: { type: 'record', name: 'Part', fields },
});
const inner = (...fields: readonly AvscField[]): AvscField['type'] => ({ type: 'record', name: 'Inner', fields });

const id = clear('id', 'string');
const text = sealed('text', 'bytes', 'string');

const passing: readonly [string, AvscFact, AvscFact][] = [
  ['nothing changed', fact(id, text), fact(id, text)],
  ['only words changed', fact(id), fact({ ...id, doc: 'Another sentence.' })],
  ['a field with a default came', fact(id), fact(id, clear('size', 'long', { default: 0 }))],
  ['a field with a default went', fact(id, clear('size', ['null', 'long'], { default: null })), fact(id)],
  ['an optional sealed field came', fact(id), fact(id, sealed('more', ['null', 'bytes'], 'string', { default: null }))],
  ['fields changed places', fact(id, text), fact(text, id)],
  [
    'an opened record got a field with a default',
    fact(sealed('parts', 'bytes', item(clear('a', 'string')))),
    fact(sealed('parts', 'bytes', item(clear('a', 'string'), clear('b', 'long', { default: 0 })))),
  ],
];

const failing: readonly [string, AvscFact, AvscFact, RegExp][] = [
  ['a field without a default came', fact(id), fact(id, clear('size', 'long')), /today's cannot read the released/],
  ['a field without a default went', fact(id, clear('size', 'long')), fact(id), /released one cannot read today's/],
  ['a type changed', fact(clear('size', 'long')), fact(clear('size', 'string')), /cannot read/],
  [
    'a type was widened, which older readers cannot follow',
    fact(clear('size', 'int')),
    fact(clear('size', 'long')),
    /released one cannot read today's/,
  ],
  [
    'an enum got a symbol that older readers do not know',
    fact(clear('color', color('red'))),
    fact(clear('color', color('red', 'blue'))),
    /released one cannot read today's/,
  ],
  [
    'a field became optional',
    fact(clear('size', 'long')),
    fact(clear('size', ['null', 'long'], { default: null })),
    /released one cannot read today's/,
  ],
  ['a clear field became sealed', fact(clear('text', 'bytes')), fact(text), /text: clear became sealed/],
  ['a sealed field became clear', fact(text), fact(clear('text', 'bytes')), /text: sealed \(content\) became clear/],
  ['a sealed field became personal', fact(text), fact({ ...text, 'loom.class': 'personal' }), /became personal/],
  ['a field changed its key', fact(text), fact({ ...text, 'loom.key': 'tenant' }), /became sealed \(tenant\)/],
  [
    'a nested field changed its class',
    fact(clear('inner', inner(text))),
    fact(clear('inner', inner(clear('text', 'bytes')))),
    /inner.text: sealed/,
  ],
  [
    'a sealed field that is no option came',
    fact(id),
    fact(id, sealed('more', 'bytes', 'string', { default: '' })),
    /more: a sealed field that comes/,
  ],
  ['an opened type changed', fact(text), fact(sealed('text', 'bytes', 'long')), /text opened: .*cannot read/],
  [
    'an opened record lost a field',
    fact(sealed('parts', 'bytes', item(clear('a', 'string')))),
    fact(sealed('parts', 'bytes', item(clear('b', 'string')))),
    /parts opened: /,
  ],
  ['a record changed its name', fact(id), { ...fact(id), name: 'Other' }, /cannot read/],
  ['a fact is gone', fact(id), { ...fact(id), 'loom.fact': 'other.happened' }, /was released and is gone/],
];

for (const [what, old, today] of passing) {
  test(`compatible: ${what}`, () => assert.equal(incompatibilities([today], [old]), []));
}

for (const [what, old, today, wanted] of failing) {
  test(`refused: ${what}`, () => assert.match(incompatibilities([today], [old]).join('\n'), wanted));
}

test('a fact that was never released may be anything', () => assert.equal(incompatibilities([fact(id)], []), []));

test("today's facts read everything that was ever released, and the other way round", () => {
  const today = currentFacts();
  assert.equal(incompatibilities(today, today), []);
  assert.equal(incompatibilities(today, releasedFacts()), []);
});

test("what an older release wrote reads as today's fact, with defaults for what it did not know", () => {
  const old = compile(fact(id, clear('gone', ['null', 'long'], { default: null })));
  const today = compile(fact(clear('size', 'long', { default: 7 }), id));
  const bytes = encode(old, { id: 'a', gone: 2 ** 52 + 1 }, 'thing.happened');
  assert.equal(decode(today, old, bytes), { size: 7, id: 'a' });
  assert.equal(decode(old, today, encode(today, { size: 1, id: 'b' }, 'thing.happened')), { id: 'b', gone: null });
});

test('run as a program it names what a release breaks, and fails', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'loom-released-'));
  const run = () =>
    spawnSync(process.execPath, [join(import.meta.dirname, '../src/compatibility.ts'), folder], { encoding: 'utf8' });
  try {
    assert.equal([run().status, run().stderr], [0, '']);
    await mkdir(join(folder, '0.1.0'));
    await writeFile(join(folder, '0.1.0', 'thing.happened.avsc'), JSON.stringify(fact(id)));
    assert.equal([run().status, run().stderr], [1, 'thing.happened: was released and is gone\n']);
  } finally {
    await rm(folder, { recursive: true });
  }
});

test('a version that is told of has its schemas on record', () => {
  const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
    version: string;
  };
  const kept = readFacts(new URL(`../released/${version}`, import.meta.url).pathname);
  assert.ok(kept.length > 0, `released/${version} is missing: copy facts/ there`);
});

test.run();
