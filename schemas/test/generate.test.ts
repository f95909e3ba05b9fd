import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { faults } from '../src/check.ts';
import { currentFacts } from '../src/files.ts';
import { reference } from '../src/reference.ts';
import { render } from '../src/render.ts';
import type { AvscFact } from '../src/schema.ts';

const fact = (...fields: readonly object[]): AvscFact =>
  ({ type: 'record', name: 'ThingHappened', 'loom.fact': 'thing.happened', fields }) as unknown as AvscFact;
const clear = { 'loom.class': 'clear' };
const sealed = { 'loom.class': 'sealed', 'loom.opened': 'string' };
const record = (name: string, ...fields: readonly object[]): object => ({ type: 'record', name, fields });

const refused: readonly [string, readonly AvscFact[], RegExp][] = [
  ['a field without a class', [fact({ name: 'a', type: 'string' })], /a: no valid loom.class/],
  [
    'a class that does not exist',
    [fact({ name: 'a', type: 'string', 'loom.class': 'secret' })],
    /a: no valid loom.class/,
  ],
  [
    'a nested field without a class',
    [fact({ name: 'a', ...clear, type: record('R', { name: 'b', type: 'long' }) })],
    /a\.b: no valid/,
  ],
  [
    'a sealed field that is not bytes',
    [fact({ name: 'a', type: 'string', ...sealed })],
    /a: a sealed field is not bytes/,
  ],
  [
    'a sealed field that does not say what it opens as',
    [fact({ name: 'a', type: 'bytes', 'loom.class': 'sealed' })],
    /no loom.opened/,
  ],
  [
    'a sealed field inside an array',
    [
      fact({
        name: 'a',
        ...clear,
        type: { type: 'array', items: record('R', { name: 'b', type: 'bytes', ...sealed }) },
      }),
    ],
    /inside an array/,
  ],
  [
    'an opened type that is itself optional',
    [fact({ name: 'a', type: 'bytes', ...sealed, 'loom.opened': ['null', 'string'] })],
    /is a union/,
  ],
  [
    'personal data that is not text',
    [fact({ name: 'a', type: 'bytes', 'loom.class': 'personal', 'loom.opened': 'long' })],
    /does not open as string/,
  ],
  [
    'a key that does not exist',
    [fact({ name: 'a', type: 'bytes', ...sealed, 'loom.key': 'root' })],
    /loom.key is unknown/,
  ],
  [
    'a clear field with a key',
    [fact({ name: 'a', type: 'bytes', ...clear, 'loom.key': 'tenant' })],
    /a clear field has/,
  ],
  [
    'one field twice',
    [fact({ name: 'a', type: 'long', ...clear }, { name: 'a', type: 'long', ...clear })],
    /a: the field is defined twice/,
  ],
  ['one fact twice', [fact(), fact()], /the fact is defined twice/],
  [
    'one name for two types',
    [
      fact({ name: 'a', ...clear, type: record('R', { name: 'b', type: 'long', ...clear }) }),
      {
        ...fact({ name: 'a', ...clear, type: record('R', { name: 'b', type: 'int', ...clear }) }),
        name: 'Other',
        'loom.fact': 'other.happened',
      },
    ],
    /R stands for two different types/,
  ],
  [
    'one name defined twice in a file',
    [fact(...['a', 'b'].map((name) => ({ name, ...clear, type: { type: 'enum', name: 'E', symbols: ['x'] } })))],
    /E be defined once/,
  ],
  ['a union of two types', [fact({ name: 'a', ...clear, type: ['string', 'long'] })], /a union other than/],
  ['a type that Loom does not use', [fact({ name: 'a', ...clear, type: 'double' })], /double is not a type/],
  [
    'items of no bytes',
    [fact({ name: 'a', ...clear, type: { type: 'array', items: record('R') } })],
    /items of no bytes/,
  ],
  ['a fact that does not say when it is written', [fact()], /thing.happened: loom.when is missing/],
  ['a fact that is not named noun.verb', [{ ...fact(), 'loom.fact': 'Thing' }], /not <noun>.<verb>/],
];

for (const [what, facts, wanted] of refused) {
  test(`the generator refuses ${what}`, () => assert.match(faults(facts).join('\n'), wanted));
}

test("today's schemas are without fault", () => assert.equal(faults(currentFacts()), []));

test('generated.ts and docs/events.md are what the schemas give', () => {
  const script = join(import.meta.dirname, '../src/generate.ts');
  const run = spawnSync(process.execPath, [script, '--check'], { encoding: 'utf8' });
  assert.is(run.stderr, '');
  assert.is(run.status, 0);
});

test('opened and clear types are told apart, nested ones too', () => {
  const inner = record(
    'Inner',
    { name: 'ip', type: 'bytes', 'loom.class': 'personal', 'loom.opened': 'string' },
    { name: 'n', type: 'int', ...clear },
  );
  const text = render([
    fact({ name: 'text', type: ['null', 'bytes'], ...sealed }, { name: 'inner', type: inner, ...clear }),
  ]);
  assert.match(
    text,
    /export type ThingHappened = \{\n {2}readonly text: string \| null;\n {2}readonly inner: Inner;\n\};/,
  );
  assert.match(text, /export type ClearThingHappened = \{\n {2}readonly inner: ClearInner;\n\};/);
  assert.match(text, /export type ClearInner = \{\n {2}readonly n: number;\n\};/);
});

test('the page tells unit, class and opened type of every field, those of records below too', () => {
  const part = record('Part', { name: 'size', type: 'long', ...clear });
  const page = reference(
    [
      fact(
        { name: 'cost_micros', type: ['null', 'long'], ...clear, doc: 'What it cost.' },
        { name: 'brief', type: 'bytes', ...sealed },
        { name: 'ip', type: 'bytes', 'loom.class': 'personal', 'loom.opened': 'string' },
        { name: 'parts', type: { type: 'array', items: part }, ...clear },
      ),
    ].map((one) => ({ ...one, 'loom.sources': ['gateway'], 'loom.streams': ['job'] })),
    'Before.\n<!-- facts -->\n',
  );
  for (const row of [
    '| `cost_micros` | long or null | micro-USD | clear | What it cost. |',
    '| `brief` | bytes |  | sealed (content key; string) |  |',
    '| `ip` | bytes |  | personal (person key; string) |  |',
    '| `parts[].size` | long | bytes | clear |  |',
  ])
    assert.ok(page.includes(row), row);
  assert.throws(() => reference([], 'no place for the facts'), /no line/);
});

test.run();
