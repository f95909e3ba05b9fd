import { inspect } from 'node:util';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { Secret, config, logSettings, setting } from '@loom/service';
import type { LoomError } from '@loom/service';

const schema = {
  url: setting.url('LOOM_X_URL'),
  password: setting.secret('LOOM_X_PASSWORD'),
  width: setting.integer('LOOM_X_WIDTH', { min: 1, max: 64 }, 8),
  parties: setting.list('LOOM_X_PARTIES', []),
  on: setting.flag('LOOM_X_ON', false),
  maybe: setting.optional('LOOM_X_MAYBE'),
};

const refusal = (env: Record<string, string>): LoomError => {
  try {
    config(schema, env);
  } catch (cause) {
    return cause as LoomError;
  }
  throw new Error('no refusal');
};

test('settings are read by type, with fall-backs where the variable is absent or empty', () => {
  const read = config(schema, {
    LOOM_X_URL: 'http://127.0.0.1:1',
    LOOM_X_PASSWORD: 'p',
    LOOM_X_PARTIES: 'a, b,',
    LOOM_X_WIDTH: '',
    LOOM_X_ON: '1',
  });
  assert.is(read.url, 'http://127.0.0.1:1');
  assert.is(read.password.reveal(), 'p');
  assert.equal([read.width, read.parties, read.on, read.maybe], [8, ['a', 'b'], true, null]);
});

test('all faults are told at once, by variable and without the value', () => {
  const error = refusal({ LOOM_X_URL: 'CANARY', LOOM_X_WIDTH: '65' });
  assert.is(error.code, 'config_invalid');
  assert.match(error.message, 'LOOM_X_URL must be a URL');
  assert.match(error.message, 'LOOM_X_PASSWORD is not set');
  assert.match(error.message, 'LOOM_X_WIDTH must be a whole number from 1 to 64');
  assert.not.match(error.message, 'CANARY');
});

test('a secret prints as [secret] in strings, JSON and inspection', () => {
  const secret = new Secret('CANARY');
  const printed = [
    String(secret),
    JSON.stringify({ secret }),
    inspect({ secret }),
    inspect(secret, { showHidden: true }),
  ].join(' ');
  assert.not.match(printed, 'CANARY');
  assert.is(secret.reveal(), 'CANARY');
});

test('a service logs in under its own name unless told otherwise', () => {
  const env = { LOOM_NATS_URL: 'nats://127.0.0.1:4222', LOOM_NATS_PASSWORD: 'p' };
  assert.is(config(logSettings('billing'), env).natsUser, 'billing');
  assert.is(config(logSettings('billing'), { ...env, LOOM_NATS_USER: 'other' }).natsUser, 'other');
});

test.run();
