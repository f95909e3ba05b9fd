import { spawnSync } from 'node:child_process';
import * as fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { redact } from '../src/redact.ts';

/** What a program that runs `code` with a logger prints on stderr. */
const logged = (code: string): string => {
  const program = `import { logger, LoomError } from '@loom/service'; const log = logger('x'); ${code}`;
  const child = spawnSync(process.execPath, ['--input-type=module', '-e', program], {
    cwd: import.meta.dirname,
    encoding: 'utf8',
    env: { ...process.env, LOOM_LOG_LEVEL: 'debug' },
  });
  return child.stderr;
};

test('fields that may hold content or secrets are blanked at any depth', () => {
  const path = fc.array(fc.constantFrom('a', 'b', 'nested'), { maxLength: 4 });
  const name = fc.constantFrom(
    'brief',
    'text',
    'args',
    'result',
    'password',
    'api_key',
    'accessToken',
    'Authorization',
    'cookie',
    'ip',
    'files',
  );
  fc.assert(
    fc.property(path, name, (above, last) => {
      const inner: Record<string, unknown> = { [last]: 'CANARY', kept: 1 };
      const fields = above.reduceRight((value, key) => ({ [key]: value }), inner);
      return !JSON.stringify(redact(fields)).includes('CANARY');
    }),
  );
});

test('bytes are logged by their length and long strings are cut', () => {
  const out = redact({ sum: Buffer.from('abc'), note: 'x'.repeat(10_000) });
  assert.is(out['sum'], '[3 bytes]');
  assert.ok(String(out['note']).length < 400);
});

test('the message of a foreign error, which may quote content, is never logged; its frames are', () => {
  const lines = logged(`
    const foreign = Object.assign(new Error('CANARY\\n    at CANARY'), { code: 'ECONNRESET' });
    log.error({ err: foreign }, 'call failed'); log.error(foreign); log.error({ err: foreign });
    log.error({ err: new LoomError('undecodable', undefined, { cause: foreign }) }, 'parked');`);
  assert.not.match(lines, 'CANARY');
  assert.match(lines, 'ECONNRESET');
  assert.match(lines, 'undecodable');
  assert.is(lines.trim().split('\n').length, 4);
});

test.run();
