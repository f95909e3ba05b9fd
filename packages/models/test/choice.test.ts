import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { LoomError } from '@loom/service';
import { isFree, isPrivate, modelOf, modelsFromEnv } from '../src/index.ts';

const variableOf = (env: Record<string, string>): string => {
  try {
    modelsFromEnv(env);
  } catch (error) {
    if (error instanceof LoomError && error.code === 'config_invalid') return error.field ?? '';
    throw error;
  }
  return '';
};

test('with neither key nor base URL every role is offline, and a note says how to get a real swarm', () => {
  const choice = modelsFromEnv({});
  assert.is(choice.mode, 'offline');
  assert.equal(choice.models, { planner: 'offline', worker: 'offline', writer: 'offline' });
  assert.match(choice.notes.join(), 'ANTHROPIC_API_KEY');
});

test('a key or a base URL switches its provider on, Anthropic first', () => {
  assert.is(modelsFromEnv({ ANTHROPIC_API_KEY: 'k' }).mode, 'anthropic');
  assert.is(modelsFromEnv({ OPENAI_BASE_URL: 'http://127.0.0.1:1' }).mode, 'openai');
  assert.is(modelsFromEnv({ OPENAI_API_KEY: 'k', ANTHROPIC_API_KEY: 'k' }).mode, 'anthropic');
});

test('a role can have a model of its own, of the other provider too', () => {
  const choice = modelsFromEnv({ OPENAI_API_KEY: 'k', ANTHROPIC_API_KEY: 'k', LOOM_MODEL_WORKER: 'gpt-5-mini' });
  assert.is(choice.models.worker, 'gpt-5-mini');
  assert.is(modelOf(choice, 'gpt-5-mini')?.provider, 'openai');
});

test('a model whose provider is not set up is refused by the name of its variable', () => {
  assert.is(variableOf({ ANTHROPIC_API_KEY: 'k', LOOM_MODEL_WRITER: 'gpt-5' }), 'LOOM_MODEL_WRITER');
});

test('an unknown model is refused without a price, and taken with one', () => {
  assert.is(variableOf({ OPENAI_API_KEY: 'k', LOOM_MODEL_PLANNER: 'new' }), 'LOOM_MODEL_PLANNER');
  const row = { model: 'new', input_micros_per_mtok: 1, cached_micros_per_mtok: 1, output_micros_per_mtok: 2 };
  const choice = modelsFromEnv({
    OPENAI_API_KEY: 'k',
    LOOM_MODEL_PLANNER: 'new',
    LOOM_MODEL_PRICES: JSON.stringify([row]),
  });
  assert.equal(modelOf(choice, 'new')?.price, row);
});

test('an unknown model on a private address is free, and a note says so', () => {
  const choice = modelsFromEnv({
    OPENAI_BASE_URL: 'http://192.168.1.5:11434/v1',
    LOOM_MODEL_PLANNER: 'qwen3:8b',
    LOOM_MODEL_WORKER: 'qwen3:8b',
    LOOM_MODEL_WRITER: 'qwen3:8b',
  });
  const model = modelOf(choice, 'qwen3:8b');
  assert.ok(model && isFree(model.price));
  assert.match(choice.notes.join(), 'costing nothing');
});

test('prices that are no JSON, no integers or have unknown fields are refused', () => {
  for (const LOOM_MODEL_PRICES of [
    '{',
    '{}',
    '[{"model":"x"}]',
    '[{"model":"x","input_micros_per_mtok":0.5,"cached_micros_per_mtok":0,"output_micros_per_mtok":0}]',
  ]) {
    assert.is(variableOf({ LOOM_MODEL_PRICES }), 'LOOM_MODEL_PRICES', LOOM_MODEL_PRICES);
  }
});

test('the version of the prices changes with an override', () => {
  const row = { model: 'gpt-5', input_micros_per_mtok: 1, cached_micros_per_mtok: 1, output_micros_per_mtok: 2 };
  const env = { OPENAI_API_KEY: 'k' };
  assert.is.not(
    modelsFromEnv(env).priceVersion,
    modelsFromEnv({ ...env, LOOM_MODEL_PRICES: JSON.stringify([row]) }).priceVersion,
  );
});

test('private addresses are told from public ones', () => {
  for (const host of [
    '127.0.0.1',
    'localhost',
    '[::1]',
    '10.0.0.1',
    '172.16.3.4',
    '192.168.0.9',
    'gpu.local',
    '[fd00::1]',
  ])
    assert.ok(isPrivate(`http://${host}:80/v1`), host);
  for (const host of ['api.openai.com', '172.32.0.1', '8.8.8.8', '10.example.com', 'fc00.example.com'])
    assert.not(isPrivate(`http://${host}/v1`), host);
  assert.not(isPrivate(''));
});

test.run();
