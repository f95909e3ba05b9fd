import type { Bodies } from '@loom/schemas';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Parts } from '../../src/consumers/parts.ts';
import { handleTool } from '../../src/consumers/tools.ts';
import { offline } from '../../src/offline/index.ts';
import { askTool, facts, jobWithWorker, raiseEpoch } from './job.ts';
import { world } from './world.ts';
import type { World } from './world.ts';

let place: World;
let parts: Parts;

test.before(async () => {
  place = await world();
  parts = await place.runner(offline());
});
test.after(async () => {
  await place[Symbol.asyncDispose]();
});

async function use(tool: string, args: unknown, file?: Buffer): Promise<Bodies['tool.settled']> {
  const at = await jobWithWorker(place, file ? { file } : {});
  await handleTool(parts, await askTool(place, at, { tool, args }));
  const [settled] = await facts(place.orchestrator, at, 'tool.settled');
  if (!settled) throw new Error('the call is not settled');
  return settled;
}

test('an artifact is stored as a blob and named in the outcome', async () => {
  const settled = await use('write_artifact', { path: './final//report.md', content: '# Räpport\n' });
  const [file] = settled.files;
  assert.is(settled.outcome, 'completed');
  assert.equal([file?.path, file?.media_type, file?.size], ['final/report.md', 'text/markdown', 11]);
  assert.is((await place.blobs.get(file?.object ?? '', file?.data_key ?? Buffer.alloc(0))).toString(), '# Räpport\n');
});

test('a path outside final/ is a failure that says what would do', async () => {
  for (const path of [
    'report.md',
    '/etc/passwd',
    'final/../x',
    'final',
    'final/',
    'final\\x',
    '../final/x',
    'final/a/./b',
  ]) {
    const settled = await use('write_artifact', { path, content: 'x' });
    assert.equal([settled.outcome, settled.code], ['failed', 'bad_path'], path);
    assert.match(settled.result, 'The path must');
  }
});

test('arguments that do not fit and tools that are none are told to the model', async () => {
  assert.is((await use('write_artifact', { path: 'final/x' })).code, 'bad_arguments');
  assert.is((await use('read_attachment', { name: 'data.csv', limit: 0 })).code, 'bad_arguments');
  assert.is((await use('drop_tables', {})).code, 'unknown_tool');
});

test('a file of more than 10 MB is refused', async () => {
  const settled = await use('write_artifact', { path: 'final/big.txt', content: 'x'.repeat(10 * 1024 * 1024 + 1) });
  assert.equal([settled.outcome, settled.code], ['failed', 'too_large']);
});

test('an attachment is read in parts, with where they stand', async () => {
  const settled = await use('read_attachment', { name: 'data.csv', offset: 4, limit: 3 }, Buffer.from('a,b\n1,2\n'));
  assert.is(settled.result, 'data.csv: characters 4 to 7 of 8 (UTF-8); go on with offset 7\n\n1,2');
});

test('a binary attachment says so, a missing one lists what there is', async () => {
  assert.match(
    (await use('read_attachment', { name: 'data.csv' }, Buffer.from([1, 0, 2]))).result,
    'data.csv is no text: 3 bytes',
  );
  const missing = await use('read_attachment', { name: 'other.csv' });
  assert.is(missing.code, 'no_such_file');
  assert.match(missing.result, '- data.csv (text/csv, 8 bytes)');
});

test('files are listed', async () => {
  const { result } = await use('list_files', {});
  assert.is(result, 'Attachments:\n- data.csv (text/csv, 8 bytes)\nFiles written:\n- none');
});

test('the same call handed over twice has one outcome', async () => {
  const at = await jobWithWorker(place);
  const asked = await askTool(place, at, { tool: 'write_artifact', args: { path: 'final/a.txt', content: 'a' } });
  await Promise.all([handleTool(parts, asked), handleTool(await place.runner(offline()), asked)]);
  await handleTool(parts, asked);
  assert.is((await facts(place.orchestrator, at, 'tool.settled')).length, 1);
});

test('a call of an older epoch is refused', async () => {
  const at = await jobWithWorker(place);
  const asked = await askTool(place, at, { tool: 'list_files', args: {} });
  await raiseEpoch(place, at);
  await handleTool(parts, asked);
  const [settled] = await facts(place.orchestrator, at, 'tool.settled');
  assert.equal([settled?.outcome, settled?.code], ['refused', 'epoch_passed']);
});

test.run();
