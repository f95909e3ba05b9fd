import fc from 'fast-check';
import { emptyJob, evolve, packState, stateHash, unpackState } from '@loom/job';
import type { Job } from '@loom/job';
import type { Fact } from '@loom/log';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { decide } from '../src/domain/decide.ts';
import { moves, play } from './support/moves.ts';
import { intake, World } from './support/world.ts';

const at = { tenant: 't1', stream: 'job_0test' };
const fold = (facts: readonly Fact[], job: Job = emptyJob(at)): Job => facts.reduce(evolve, job);

function kept(job: Job): Job {
  const found = unpackState(at, packState(job));
  if (found === null) throw new Error('a state that was just packed is none');
  return found;
}

const histories = fc.array(moves, { maxLength: 60, size: 'max' }).map((script) => {
  const world = new World().submit();
  for (const move of script) if (!world.job.ended) play(world, move);
  return world.facts;
});

test('whatever happened: a state out of a snapshot folds on, decides and hashes as the one that was folded from the first fact', () => {
  fc.assert(
    fc.property(histories, fc.nat(), (facts, pick) => {
      const cut = pick % (facts.length + 1);
      const restored = kept(fold(facts.slice(0, cut)));
      assert.equal(restored, fold(facts.slice(0, cut)));
      assert.equal(decide(restored, intake), decide(fold(facts.slice(0, cut)), intake));
      const further = fold(facts.slice(cut), restored);
      assert.equal(further, fold(facts));
      assert.is(stateHash(further), stateHash(fold(facts)));
    }),
    { numRuns: 150 },
  );
});

test('bytes that were cut off, altered, or kept of another job are no state', () => {
  const { facts } = new World().submit();
  const bytes = packState(fold(facts));
  assert.is(unpackState({ ...at, stream: 'job_0other' }, bytes), null);
  assert.is(unpackState({ ...at, tenant: 't2' }, bytes), null);
  for (let size = 0; size < bytes.length; size += 7) assert.is(unpackState(at, bytes.subarray(0, size)), null);
  const brief = bytes.indexOf('Compare');
  assert.ok(brief > 0);
  const altered = Buffer.from(bytes);
  altered[brief] = (altered[brief] ?? 0) ^ 1;
  assert.is(unpackState(at, altered), null);
});

test.run();
