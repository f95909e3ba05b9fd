import * as fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { suiteNamed } from '@loom/evals';
import { filesOf, scoreCase, scoreSuite } from '../src/domain/score.ts';
import type { Case, Outcome, Suite } from '../src/domain/score.ts';

const report = 'final/report.md';

const one: Case = {
  name: 'one',
  brief: 'b',
  attachments: [],
  checks: [
    { kind: 'exists', file: report },
    { kind: 'contains', file: report, text: '340' },
    { kind: 'matches', file: report, pattern: '\\bnuts\\b' },
    { kind: 'lacks', file: report, pattern: 'sorry' },
  ],
};

const outcome = (text: string, status = 'completed'): Outcome => ({
  case: 'one',
  job: 'job_0a',
  status,
  files: { [report]: text },
});

test('a case scores the share of its checks that hold and names those that failed', () => {
  assert.equal(scoreCase(one, outcome('Nuts: 340')).score_ppm, 1_000_000);
  const half = scoreCase(one, outcome('doughnuts, sorry: 340'));
  assert.equal([half.score_ppm, half.failed], [500_000, [2, 3]]);
});

test('a job that did not complete, a file that is missing and a case that could not be run score nothing', () => {
  assert.is(scoreCase(one, outcome('nuts 340', 'failed')).score_ppm, 0);
  assert.is(scoreCase(one, { ...outcome(''), files: {} }).score_ppm, 0);
  const suite = { name: 's', patience_s: 1, cases: [one] };
  assert.equal([scoreSuite(suite, []).score_ppm, scoreSuite(suite, []).cases[0]?.status], [0, 'missing']);
});

test('the score of a suite is the mean of its cases, and a million only when every case passed', () => {
  const texts = fc.array(fc.constantFrom('nuts 340', 'nuts', '', 'sorry nuts 340'), { minLength: 1, maxLength: 6 });
  fc.assert(
    fc.property(texts, (all) => {
      const cases = all.map((_, index) => ({ ...one, name: `c${index}` }));
      const outcomes = all.map((text, index) => ({ ...outcome(text), case: `c${index}` }));
      const suite: Suite = { name: 's', patience_s: 1, cases };
      const score = scoreSuite(suite, outcomes);
      assert.ok(score.score_ppm >= 0 && score.score_ppm <= 1_000_000);
      assert.is(score.score_ppm === 1_000_000, score.passed === cases.length);
      assert.equal(scoreSuite(suite, outcomes.toReversed()), score);
    }),
  );
});

test('the synthetic suite that ships is well formed: unique cases, checks on final files, patterns that compile', async () => {
  const suite = await suiteNamed('profile');
  assert.is(new Set(suite.cases.map((each) => each.name)).size, suite.cases.length);
  for (const each of suite.cases) {
    assert.ok(each.checks.length > 0 && filesOf(each).every((file) => file.startsWith('final/')));
    scoreCase(each, { case: each.name, job: 'j', status: 'completed', files: { [report]: 'x' } });
  }
});

test('a suite that does not exist is told, and no path leads out of the folder', async () => {
  for (const name of ['none', '../package', '']) {
    const code = await suiteNamed(name).then(
      () => 'found',
      (cause: { code: string }) => cause.code,
    );
    assert.is(code, 'not_found');
  }
});

test.run();
