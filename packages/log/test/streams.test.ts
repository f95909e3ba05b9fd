import { LoomError } from '@loom/service';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { checkEcho, checkVersion, eventStream } from '../src/streams.ts';
import { natsUsers } from '../src/index.ts';

const code = (work: () => unknown): string => {
  try {
    work();
  } catch (cause) {
    return LoomError.from(cause).code;
  }
  return 'none';
};

test('a server below the version floor is refused, the floor and above are not', () => {
  for (const old of ['2.9.10', '2.14.2', '1.99.99', '2.14.3-beta.1', 'dev', '']) {
    assert.is(
      code(() => checkVersion(old)),
      'server_too_old',
      old,
    );
  }
  for (const good of ['2.14.3', '2.14.10', '2.15.1', '3.0.0', '2.15.0-RC.1']) {
    assert.is(
      code(() => checkVersion(good)),
      'none',
      good,
    );
  }
});

test('a setting that the server dropped is named', () => {
  const wish = eventStream(1, 4);
  assert.is(
    code(() => checkEcho('S', wish, { ...wish, num_replicas: 1 })),
    'none',
  );
  for (const name of Object.keys(wish)) {
    if (name === 'max_age' || name === 'deny_purge') continue;
    const { [name as keyof typeof wish]: _, ...echo } = wish;
    assert.is(
      code(() => checkEcho('S', wish, echo)),
      'setting_not_echoed',
      name,
    );
  }
  assert.is(
    code(() => checkEcho('S', wish, { ...wish, max_age: 5 })),
    'setting_not_echoed',
  );
  assert.is(
    code(() => checkEcho('S', wish, { ...wish, deny_purge: true })),
    'setting_not_echoed',
  );
  assert.is(
    code(() => checkEcho('S', wish, { ...wish, subjects: ['loom.0.1.>'] })),
    'setting_not_echoed',
  );
});

test('every partition lies in exactly one stream', () => {
  for (const streams of [1, 4, 16]) {
    const subjects = Array.from({ length: streams }, (_, k) => eventStream(k, streams).subjects ?? []).flat();
    assert.is(subjects.length, 64);
    assert.is(new Set(subjects).size, 64);
  }
});

test('users that are not in the table get no rights', () => {
  assert.throws(() => natsUsers({ mallory: 'x' }), /mallory/);
  assert.ok(!natsUsers({ gateway: 'x', sandbox: 'y' }).includes('"setup"'));
});

test('no service is allowed the whole JetStream interface', () => {
  const text = natsUsers({
    gateway: 'x',
    orchestrator: 'x',
    'agent-runner': 'x',
    sandbox: 'x',
    billing: 'x',
    audit: 'x',
    evals: 'x',
    operator: 'x',
  });
  for (const verb of [
    '$JS.API.>',
    'CONSUMER.CREATE',
    'CONSUMER.DELETE',
    'STREAM.CREATE',
    'STREAM.UPDATE',
    'STREAM.DELETE',
    'STREAM.PURGE',
    'MSG.DELETE',
    'SNAPSHOT',
    'RESTORE',
    '$SYS',
  ]) {
    assert.ok(!text.includes(verb), verb);
  }
});

test.run();
