import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { Carried } from '../src/carried.ts';
import type { Opened } from '../src/known.ts';

const item = (key: string, body: string) => ({
  at: { source: 'orchestrator', type: 'step.requested', key } as const,
  body: Buffer.from(body),
});
const opened = (key: string): Opened => ({ type: 'step.requested', key, body: {} }) as unknown as Opened;
const dispatch = (key: string) => ({ ...item(key, '').at, decision: 7 });

test('a dispatch is the item of its decision once, and only byte for byte', () => {
  const carried = new Carried();
  const one = opened('a1-1-1');
  carried.put([item('a1-1-1', 'one'), item('a2-1-1', 'two')], [one, opened('a2-1-1')]);
  assert.is(carried.take(dispatch('a1-1-1'), Buffer.from('one'))?.[0], one);
  assert.is(carried.take(dispatch('a1-1-1'), Buffer.from('one')), undefined);
  assert.is(carried.take(dispatch('a2-1-1'), Buffer.from('twO')), undefined);
});

test('what is no dispatch, or is of another source, type or key, is opened by itself', () => {
  const carried = new Carried();
  carried.put([item('a1-1-1', 'one')], [opened('a1-1-1')]);
  const same = Buffer.from('one');
  assert.is(carried.take({ ...dispatch('a1-1-1'), decision: null }, same), undefined);
  assert.is(carried.take({ ...dispatch('a1-1-1'), type: 'tool.requested' }, same), undefined);
  assert.is(carried.take(dispatch('a1-1-2'), same), undefined);
  assert.is(carried.take({ ...dispatch('a1-1-1'), source: 'agent-runner' }, same), undefined);
});

test('the latest thousand items are kept', () => {
  const carried = new Carried();
  for (let i = 0; i < 1001; i++) carried.put([item(`a${i}-1-1`, 'x')], [opened(`a${i}-1-1`)]);
  assert.is(carried.take(dispatch('a0-1-1'), Buffer.from('x')), undefined);
  assert.ok(carried.take(dispatch('a1-1-1'), Buffer.from('x')));
});

test.run();
