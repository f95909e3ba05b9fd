import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { isSafePath, mediaType, refusal } from '../src/domain/files.ts';
import { limits } from '../src/domain/limits.ts';

const nothing = { count: 0, bytes: 0 };
const judge = (name: string, type = 'file', size = 1) => refusal({ name, type, size }, nothing, limits);

test('a regular file below final/ is taken', () => {
  assert.is(judge('final/a.txt'), null);
  assert.is(judge('final/sub/ä b.txt'), null);
});

test('whatever is no regular file is not', () => {
  for (const type of ['symlink', 'link', 'fifo', 'character-device', 'block-device', 'directory', 'contiguous-file']) {
    assert.is(judge('final/a', type), 'not a regular file');
  }
});

test('whatever leads out of final/ is not', () => {
  for (const name of [
    '/etc/passwd',
    'final/../x',
    '../final/x',
    'final//x',
    'final/./x',
    'x',
    'final',
    'finally/x',
    'final/a\\b',
    'final/a\nb',
    'final/',
  ]) {
    assert.ok(judge(name) !== null, name);
  }
});

test('caps hold for one, for all together, and for their number', () => {
  assert.match(judge('final/a', 'file', limits.fileBytes + 1) ?? '', '25 MB');
  assert.match(
    refusal({ name: 'final/a', type: 'file', size: 2 }, { count: 1, bytes: limits.filesBytes - 1 }, limits) ?? '',
    '64 MB together',
  );
  assert.match(
    refusal({ name: 'final/a', type: 'file', size: 0 }, { count: 200, bytes: 0 }, limits) ?? '',
    '200 files',
  );
});

test('names that cannot be laid into a workspace are seen', () => {
  assert.ok(isSafePath('zones final (1).tab'));
  for (const name of ['', '..', 'a/..', '/a', 'a\0b', 'x'.repeat(256)]) assert.not.ok(isSafePath(name), name);
});

test('the media type is guessed by the name', () => {
  assert.is(mediaType('final/Chart.PNG'), 'image/png');
  assert.is(mediaType('final/noending'), 'application/octet-stream');
});

test.run();
