import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { rowsOf } from '../src/domain/rows.ts';
import { cancel, exhausted, fact, refused, request, settled, stepRequested } from './build.ts';

const kinds = (...given: Parameters<typeof fact>) =>
  rowsOf(fact(...given)).map((row) => `${row.kind} ${row.action} ${row.outcome}`);

test('a state-changing call is a row with its route, target and person', () => {
  const [row] = rowsOf(fact({ seq: 7, source: 'gateway' }, cancel));
  assert.equal(
    [row?.kind, row?.action, row?.target, row?.person, row?.seq, row?.item],
    ['request', request.action, 'job_0a', 'user_1', 7, 0],
  );
});

test('a sign-in and an operator’s act are told apart from other calls', () => {
  const signIn = { type: 'session.opened', key: 's', body: { session: 'h', person: 'user_1', request } } as const;
  const act = { type: 'request.recorded', key: 'r', body: { outcome: 'refused', request } } as const;
  assert.equal(kinds({ seq: 1, source: 'gateway' }, signIn), [`sign_in ${request.action} done`]);
  assert.equal(kinds({ seq: 2, source: 'operator' }, act), [`operator ${request.action} refused`]);
  assert.equal(kinds({ seq: 3, source: 'gateway' }, act), [`request ${request.action} refused`]);
});

test('each item of a decision is a row; refusals and retries have kinds of their own; dispatches are none', () => {
  const decision = kinds({ seq: 1, source: 'orchestrator' }, refused, stepRequested(1), stepRequested(2), exhausted);
  assert.equal(decision, [
    'refusal job.refused out_of_scope',
    'decision step.requested done',
    'retry step.requested attempt 2',
    'decision budget.exhausted done',
  ]);
  assert.equal(rowsOf(fact({ seq: 2, source: 'orchestrator' })), []);
});

test('a model call is a row with its outcome and code', () => {
  assert.equal(kinds({ seq: 1, source: 'agent-runner' }, settled('completed', '')), [
    'model_call step.settled completed',
  ]);
  assert.equal(kinds({ seq: 1, source: 'agent-runner' }, settled('failed', 'rate_limited')), [
    'model_call step.settled failed rate_limited',
  ]);
});

test('what is no act leaves no row', () => {
  assert.equal(
    kinds({ seq: 1, source: 'agent-runner' }, { type: 'step.claimed', key: 'k', body: { worker: 'w' } }),
    [],
  );
});

test.run();
