/** and whatever else may happen at once: pairs killed, zombies, crashes, deploys, the log and the database killed, people changing their minds. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { smallDeck } from '../../src/rage.ts';
import { chaos } from '../../src/run.ts';
import { nightly, seed } from '../count.ts';

const deck = nightly ? { kill: 100, pair: 300, crash: 200, pause: 200, deploy: 50, nats: 30, postgres: 30 } : smallDeck;

test('whatever is killed or paused, every job ends and nothing is lost or done twice', async () => {
  const outcome = await chaos({ seed, jobs: nightly ? 600 : 24, deck });
  console.log(JSON.stringify(outcome));
  assert.equal(outcome.findings, []);
  assert.ok((outcome.faults['pause'] ?? 0) >= deck.pause);
  assert.ok((outcome.faults['kill'] ?? 0) >= 2 * deck.pair);
});

test.run();
