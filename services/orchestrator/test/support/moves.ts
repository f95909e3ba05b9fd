import fc from 'fast-check';
import { openAttempts } from '@loom/job';
import { timers } from '../../src/domain/timers.ts';
import { file, plan, request, type Reply, type World } from './world.ts';

/** What models, workers, people and time may do to a job. */
export type Move =
  | { readonly kind: 'reply'; readonly pick: number; readonly reply: Reply }
  | { readonly kind: 'tools'; readonly lost: boolean }
  | { readonly kind: 'timer'; readonly pick: number }
  | { readonly kind: 'budget'; readonly micros: number }
  | { readonly kind: 'resolve'; readonly pick: number; readonly drop: boolean }
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
export const moves: fc.Arbitrary<Move> = fc.oneof(
  { weight: 12, arbitrary: fc.record({ kind: fc.constant('reply' as const), pick: fc.nat(50), reply: replies }) },
  { weight: 5, arbitrary: fc.record({ kind: fc.constant('tools' as const), lost: fc.boolean() }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('timer' as const), pick: fc.nat(50) }) },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant('budget' as const), micros: fc.integer({ min: 0, max: 400_000 }) }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant('resolve' as const), pick: fc.nat(50), drop: fc.boolean() }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constantFrom('cancel' as const, 'kill' as const, 'message' as const, 'message' as const),
    }),
  },
);

let asks = 0;
export const people: Record<'cancel' | 'kill' | 'message', (world: World) => void> = {
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

/** Any failure may be spoken of, parked or not; each once. */
function resolve(world: World, { pick, drop }: Extract<Move, { kind: 'resolve' }>): void {
  const failed = [...world.job.attempts.values()].filter(
    ({ settled, resolved }) => settled !== null && settled.outcome !== 'completed' && resolved === null,
  );
  const attempt = failed[pick % Math.max(failed.length, 1)];
  if (attempt) world.resolve(attempt.key, drop ? 'dropped' : 'redriven');
}

export function play(world: World, move: Move): void {
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
  } else if (move.kind === 'resolve') resolve(world, move);
  else if (move.kind === 'budget')
    world.ask({ type: 'job.budget-requested', key: `b${(asks += 1)}`, body: { budget_micros: move.micros, request } });
  else people[move.kind](world);
}
