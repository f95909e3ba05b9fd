import type { RawItem } from '@loom/log';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { rules } from '../src/index.ts';

const rule = rules.find(({ name }) => name === 'epoch')!;
type Seen = Parameters<ReturnType<typeof rule.watch>['see']>[0];

const item = (type: 'job.forked' | 'step.requested', epoch: number): RawItem =>
  ({ type, key: 'a1-1-1', body: { epoch } }) as unknown as RawItem;

/** What the rule says of a fork taken over under epoch 1 that asks for work under another. */
function asking(epoch: number, replay: 'playback' | 're-execute'): string | null {
  const { see } = rule.watch({ replicated: false });
  const items = [item('job.forked', 1), item('step.requested', epoch)];
  return see({ fact: { items, replay } } as unknown as Seen);
}

test('a playback asks again for what its parent had open from before a kill', () => {
  assert.is(asking(0, 'playback'), null);
  assert.is(asking(1, 'playback'), null);
  assert.match(asking(2, 'playback') ?? '', /under epoch 2, it is 1/);
});

test('whoever really works asks under the epoch that holds alone', () => {
  assert.match(asking(0, 're-execute') ?? '', /under epoch 0, it is 1/);
  assert.is(asking(1, 're-execute'), null);
});

test.run();
