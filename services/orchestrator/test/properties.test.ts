import fc from 'fast-check';
import { openAttempts, openCalls, status } from '@loom/job';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { timers } from '../src/domain/timers.ts';
import { file, plan, request, World, type Reply } from './support/world.ts';

type Move =
  | { readonly kind: 'reply'; readonly pick: number; readonly reply: Reply }
  | { readonly kind: 'tools'; readonly lost: boolean }
  | { readonly kind: 'timer'; readonly pick: number }
  | { readonly kind: 'budget'; readonly micros: number }
  | { readonly kind: 'cancel' | 'kill' | 'message' };

const plans = fc.integer({ min: 1, max: 5 }).chain((n) =>
  fc.array(fc.boolean(), { minLength: n, maxLength: n }).map((chained) =>
    plan(
      ...chained.map((needs, index) => ({
        id: `p${index}`,
        required: index === 0 && n > 3,
        needs: needs && index > 0 ? [`p${index - 1}`] : [],
      })),
    ),
  ),
);
const calls = fc.array(
  fc.constantFrom(
    { name: 'list_files', args: {} },
    { name: 'run_code', args: { language: 'python', code: '1' } },
    { name: 'delegate', args: { role: 'r', task: 't' } },
    { name: 'ask_user', args: { question: '?' } },
    { name: 'nonsense', args: 1 },
    { name: 'write_artifact', args: { path: 'final/a.md', content: '' } },
  ),
  { maxLength: 4 },
);
const replies: fc.Arbitrary<Reply> = fc.oneof(
  { weight: 4, arbitrary: plans },
  { weight: 4, arbitrary: fc.record({ text: fc.constant('said'), calls, cost: fc.integer({ min: 0, max: 9_000 }) }) },
  {
    weight: 1,
    arbitrary: fc.record({
      failure: fc.constantFrom('transient' as const, 'rate_limited' as const, 'terminal' as const),
      cost: fc.integer({ min: 0, max: 9_000 }),
    }),
  },
);
const moves: fc.Arbitrary<Move> = fc.oneof(
  { weight: 12, arbitrary: fc.record({ kind: fc.constant('reply' as const), pick: fc.nat(50), reply: replies }) },
  { weight: 5, arbitrary: fc.record({ kind: fc.constant('tools' as const), lost: fc.boolean() }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('timer' as const), pick: fc.nat(50) }) },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant('budget' as const), micros: fc.integer({ min: 0, max: 400_000 }) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constantFrom('cancel' as const, 'kill' as const, 'message' as const, 'message' as const),
    }),
  },
);

let asks = 0;
const people: Record<'cancel' | 'kill' | 'message', (world: World) => void> = {
  cancel: (world) =>
    void (world.job.cancelRequested || world.ask({ type: 'job.cancel-requested', key: '0', body: { request } })),
  kill: (world) =>
    void (
      world.job.killRequested || world.ask({ type: 'job.kill-requested', key: '0', body: { agent: null, request } })
    ),
  message: (world) =>
    void world.ask({
      type: 'message.posted',
      key: `m${(asks += 1)}`,
      body: {
        text: 'yes',
        in_reply_to:
          [...world.job.calls.values()].find(({ where, result }) => where === 'person' && !result)?.key ?? null,
        request,
      },
    }),
};

function play(world: World, move: Move): void {
  if (move.kind === 'reply') {
    const open = openAttempts(world.job);
    const attempt = open[move.pick % Math.max(open.length, 1)];
    // A step never costs more than was reserved for it: the runner's limits see to that.
    if (attempt)
      world.reply(attempt.agent, { ...move.reply, cost: Math.min(move.reply.cost ?? 0, attempt.reservedMicros) });
  } else if (move.kind === 'tools') world.tools(move.lost ? 'lost' : 'completed', [file('final/a.md')]);
  else if (move.kind === 'timer') {
    const due = timers(world.job).filter(({ kind }) => kind !== 'silence');
    const timer = due[move.pick % Math.max(due.length, 1)];
    if (timer) world.fire(timer.kind);
  } else if (move.kind === 'budget')
    world.ask({ type: 'job.budget-requested', key: `b${(asks += 1)}`, body: { budget_micros: move.micros, request } });
  else people[move.kind](world);
}

/** What anybody may hold against a log at any time. */
function holds(world: World): void {
  assert.ok(world.overshoot <= 0, 'settled + reserved ≤ cap at every fact');
  assert.is(new Set(world.items).size, world.items.length, 'no item twice');
  const terminal = world.facts.findIndex(({ type }) =>
    ['job.completed', 'job.failed', 'job.refused', 'job.cancelled'].includes(type),
  );
  if (terminal < 0) return;
  assert.not(
    world.facts.slice(terminal + 1).some(({ source }) => source === 'orchestrator'),
    'the terminal fact is the orchestrator’s last',
  );
  assert.equal([openAttempts(world.job).length, openCalls(world.job).length, world.job.money.reserved], [0, 0, 0]);
}

test('whatever models, people and timers do: the cap holds, nothing is decided twice, the decider converges', () => {
  fc.assert(
    fc.property(
      fc.array(moves, { maxLength: 80, size: 'max' }),
      fc.integer({ min: 10_000, max: 300_000 }),
      (script, budget) => {
        const world = new World({ defaultBudgetMicros: budget }).submit();
        for (const move of script) if (!world.job.ended) play(world, move);
        holds(world);
      },
    ),
    { numRuns: 400 },
  );
});

test('every job ends once it is killed and its timers fire', () => {
  fc.assert(
    fc.property(fc.array(moves, { maxLength: 60, size: 'max' }), (script) => {
      const world = new World().submit();
      for (const move of script) if (!world.job.ended) play(world, move);
      if (!world.job.ended && !world.job.killRequested) people.kill(world);
      if (!world.job.ended) world.fire('halt');
      assert.ok(['completed', 'failed', 'refused', 'cancelled'].includes(status(world.job)));
      holds(world);
    }),
    { numRuns: 200 },
  );
});

test.run();
