/** Decisions derived anew: a log in which one comes out otherwise is found, at that decision. */
import { decideAgain } from '@loom/cli';
import type { Fact, Item } from '@loom/log';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { rederive } from '../../src/index.ts';
import { Play, wholeJob } from '../support/play.ts';
import { world } from '../support/world.ts';
import type { World } from '../support/world.ts';

const test = suite<{ world: World; play: Play; facts: Fact[] }>('rederive');

test.before(async (context) => {
  context.world = await world();
  context.play = await Play.on(context.world);
  await wholeJob(context.play);
  context.facts = await Array.fromAsync(context.play.log('orchestrator').read(context.play.at));
});
test.after(async (context) => context.world[Symbol.asyncDispose]());

/** The facts with the items of one changed. */
const changed = (facts: readonly Fact[], type: string, change: (item: Item) => Item): Fact[] => {
  const at = facts.findIndex((fact) => fact.type === type);
  return facts.map((fact, i) => (i === at ? { ...fact, items: fact.items.map(change) } : fact));
};
const seqOf = (facts: readonly Fact[], type: string): number | undefined =>
  facts.find((fact) => fact.type === type)?.seq;

test('a decision that says something else is found', async ({ facts, play }) => {
  const told = changed(facts, 'job.completed', (item) =>
    item.type === 'job.completed' ? { ...item, body: { ...item.body, artifacts: 7 } } : item,
  );
  const { broken } = rederive(play.at, told, decideAgain);
  assert.is(broken?.seq, seqOf(facts, 'job.completed'));
  assert.match(broken?.message ?? '', /job\.completed 0 comes out otherwise/);
});

test('a decision that lacks an item is found', async ({ facts, play }) => {
  const at = facts.findLastIndex(({ type }) => type === 'decision.made');
  const less = facts.map((fact, i) => (i === at ? { ...fact, items: fact.items.slice(1) } : fact));
  assert.is(rederive(play.at, less, decideAgain).broken?.seq, facts[at]?.seq);
});

test('a fact that changed after the decision on it is found at the decision', async ({ facts, play }) => {
  const told = changed(facts, 'step.settled', (item) =>
    item.type === 'step.settled' ? { ...item, body: { ...item.body, tool_calls: [] } } : item,
  );
  const settled = seqOf(facts, 'step.settled') ?? 0;
  const next = facts.find(({ type, seq }) => type === 'decision.made' && seq > settled);
  assert.is(rederive(play.at, told, decideAgain).broken?.seq, next?.seq);
});

test('what another version decided is passed over and counted', async ({ facts, play }) => {
  const other = changed(facts, 'decision.made', (item) =>
    item.type === 'job.accepted' ? { ...item, body: { ...item.body, decider: '0' } } : item,
  );
  const { broken, skipped, decisions } = rederive(play.at, other, decideAgain);
  assert.is(broken, null);
  assert.is(skipped, decisions);
});

test.run();
