import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { emptyJob, evolve, stateHash } from '@loom/job';
import type { Fact } from '@loom/log';
import { essenceOf, foldFact } from '../src/pure.ts';
import { history } from './history.ts';

const fold = (facts: readonly Fact[], stream = 'job_0test') => facts.reduce(evolve, emptyJob({ tenant: 't1', stream }));

/** The same facts of another job, an hour later and further on in the log. */
const elsewhere = (facts: readonly Fact[]): Fact[] =>
  facts.map((fact) => ({
    ...fact,
    tenant: 't2',
    stream: 'job_0other',
    seq: fact.seq + 1_000,
    time: fact.time + 3_600_000,
    sum: `${fact.sum}x`,
    decision: fact.decision === null ? null : fact.decision + 1_000,
  }));

test('two jobs that went the same way have the same hash, whatever their ids, sequences and times', () => {
  const facts = history();
  assert.is(stateHash(fold(elsewhere(facts), 'job_0other')), stateHash(fold(facts)));
  assert.match(stateHash(fold(facts)), /^[0-9a-f]{64}$/);
});

test('every fact that changes what a job says changes its hash', () => {
  const facts = history();
  const told = facts.map((_, count) => essenceOf(fold(facts.slice(0, count + 1))));
  const changes = told.filter((text, at) => text !== told[at - 1]);
  const silent = facts.filter((_, at) => told[at] === told[at - 1]).map(({ type }) => type);
  assert.equal(
    silent.filter((type) => !['step.claimed', 'tool.claimed', 'timer.fired'].includes(type)),
    [],
  );
  assert.is(new Set(changes).size, changes.length);
});

test('a word of a model, a cent and an outcome each count', () => {
  const facts = history();
  const altered = (change: (text: string) => string): string =>
    essenceOf(fold(JSON.parse(change(JSON.stringify(facts))) as Fact[]));
  const plain = altered((text) => text);
  assert.is.not(
    altered((text) => text.replace('Count the rows.', 'Count the columns.')),
    plain,
  );
  assert.is.not(
    altered((text) => text.replace('"cost_micros":40', '"cost_micros":41')),
    plain,
  );
});

test('the fold of a browser says the same as the one of the services', () => {
  const facts = history();
  const shown = JSON.parse(JSON.stringify(facts)) as Fact[];
  const folded = shown.reduce(foldFact, emptyJob({ tenant: '', stream: 'job_0test' }));
  assert.is(essenceOf(folded), essenceOf(fold(facts)));
});

test.run();
