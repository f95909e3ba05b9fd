import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { cost, isFree, modelTable, priceVersionOf, reserve } from '../src/index.ts';
import type { Price } from '../src/index.ts';

const price: Price = {
  model: 'm',
  input_micros_per_mtok: 3_000_000,
  cached_micros_per_mtok: 300_000,
  output_micros_per_mtok: 15_000_000,
};

test('a million tokens of each kind cost what the price book says', () => {
  assert.is(cost(price, { input: 1_000_000, cached: 0, output: 0 }), 3_000_000);
  assert.is(cost(price, { input: 1_000_000, cached: 1_000_000, output: 0 }), 300_000);
  assert.is(cost(price, { input: 1_000_000, cached: 0, written: 1_000_000, output: 0 }), 3_750_000);
  assert.is(cost(price, { input: 0, cached: 0, output: 1_000_000 }), 15_000_000);
});

test('a fraction of a micro-dollar is rounded up, and nothing costs nothing', () => {
  assert.is(cost({ ...price, input_micros_per_mtok: 1 }, { input: 1, cached: 0, output: 0 }), 1);
  assert.is(cost(price, { input: 0, cached: 0, output: 0 }), 0);
});

const micros = fc.integer({ min: 0, max: 200_000_000 });
const tokens = fc.integer({ min: 0, max: 2_000_000 });
const prices = fc.record({
  model: fc.constant('m'),
  input_micros_per_mtok: micros,
  cached_micros_per_mtok: micros,
  output_micros_per_mtok: micros,
});

test('a call within its bounds never costs more than was reserved for it', () => {
  const parts = fc.tuple(tokens, tokens, tokens, tokens, tokens, tokens);
  fc.assert(
    fc.property(prices, parts, (any, [fresh, cached, written, output, spareIn, spareOut]) => {
      const usage = { input: fresh + cached + written, cached, written, output };
      return cost(any, usage) <= reserve(any, usage.input + spareIn, output + spareOut);
    }),
  );
});

test('cost is exact against arithmetic in fractions of a micro-dollar', () => {
  fc.assert(
    fc.property(prices, tokens, tokens, (any, input, output) => {
      const exact =
        BigInt(input) * BigInt(any.input_micros_per_mtok) + BigInt(output) * BigInt(any.output_micros_per_mtok);
      const got = BigInt(cost(any, { input, cached: 0, output })) * 1_000_000n;
      return got >= exact && got - exact < 1_000_000n;
    }),
  );
});

test('the version of a price book depends on its prices, not on their order', () => {
  const other = { ...price, model: 'a' };
  assert.is(priceVersionOf([price, other]), priceVersionOf([other, price]));
  assert.is.not(priceVersionOf([price]), priceVersionOf([{ ...price, output_micros_per_mtok: 1 }]));
});

test('every model of the table has one id, whole prices, and only offline is free', () => {
  assert.is(new Set(modelTable.map(({ id }) => id)).size, modelTable.length);
  for (const { id, price: row } of modelTable) {
    assert.ok(
      Object.values(row).every((value) => typeof value === 'string' || Number.isSafeInteger(value)),
      id,
    );
    assert.is(isFree(row), id === 'offline', id);
    assert.ok(row.cached_micros_per_mtok <= row.input_micros_per_mtok, id);
  }
});

test.run();
