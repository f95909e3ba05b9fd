import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { isModule, missingFiles, parseCall, programName } from '../src/domain/call.ts';

const call = { language: 'python', code: 'print(1)', files: null } as const;

test('arguments are read as the model wrote them', () => {
  assert.equal(parseCall('{"language":"python","code":"print(1)"}'), call);
  assert.equal(parseCall('{"language":"node","code":"1","files":["a.csv"]}'), {
    language: 'node',
    code: '1',
    files: ['a.csv'],
  });
});

test('bad arguments are answered in words, never thrown', () => {
  for (const bad of ['', 'nonsense', '[]', 'null', '7']) assert.match(parseCall(bad) as string, 'not a JSON object');
  assert.match(parseCall('{"language":"ruby","code":"1"}') as string, 'Unknown language');
  assert.match(parseCall('{"language":"python","code":" "}') as string, '"code"');
  assert.match(parseCall('{"language":"python","code":"1","files":[1]}') as string, '"files"');
});

test('a file that is not there is named, with those that are', () => {
  assert.is(missingFiles({ ...call, files: ['./a.csv'] }, ['a.csv']), null);
  assert.is(missingFiles({ ...call, files: ['b.csv'] }, ['a.csv']), 'Unknown file: b.csv. There are: a.csv.');
});

test('code that imports, exports or awaits at the top is a module', () => {
  for (const code of [
    `import fs from 'fs'`,
    `import 'x'`,
    `import { a } from 'b'`,
    'export const a = 1',
    'await f()',
    'const x = await f()',
  ]) {
    assert.ok(isModule(code), code);
  }
  for (const code of [`const fs = require('fs')`, `import('x')`, 'f(async () => { return 1 })', 'const important = 1'])
    assert.not.ok(isModule(code), code);
});

test('the program gets a name that no input has', () => {
  assert.is(programName(call, ['a.csv']), 'main.py');
  assert.is(programName(call, ['main.py', 'main_1.py']), 'main_2.py');
  assert.is(programName({ ...call, language: 'node' }, []), 'main.cjs');
});

test.run();
