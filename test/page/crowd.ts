/** Facts of one job of many agents, written as orchestrator and runner would write them. */
import type { Draft } from '@loom/log';
import { accepted, addressOf, decide, spawned } from '../../services/gateway/test/support/decider.ts';
import type { World } from '../../services/gateway/test/support/world.ts';

const names = (count: number): readonly string[] => Array.from({ length: count }, (_, at) => `a${at}`);

const requested = (agent: string, step: number): Draft => ({
  type: 'step.requested',
  key: `${agent}-${step}-1`,
  body: {
    agent,
    step,
    attempt: 1,
    epoch: 0,
    model: 'm',
    max_tokens: 10,
    input_tokens_max: 10,
    reserved_micros: 10,
    price_version: 'p',
    deadline_ms: 600_000,
    upto: 1,
  },
});

const said = {
  outcome: 'completed',
  failure: 'none',
  code: '',
  retry_after_ms: 0,
  provider: 'offline',
  model: 'offline',
  tokens_in: 900,
  tokens_cached: 0,
  tokens_written: 0,
  tokens_out: 60,
  cost_micros: 7,
  price_version: 'p',
  latency_ms: 1,
  request_hmac: Buffer.alloc(32),
  templates: '1',
  toolset: '1',
  provider_request_id: null,
  stop_reason: 'end_turn',
  error: null,
  tool_calls: [],
} as const;

const settled = (agent: string, step: number): Draft => ({
  type: 'step.settled',
  key: `${agent}-${step}-1`,
  body: {
    agent,
    step,
    attempt: 1,
    ...said,
    text: `Step ${step} of ${agent}: **${step * 7}** rows, all of them read. `.repeat(5),
  },
});

/** A brief, taken up by so many agents below one planner. @returns the job's id */
export async function crowd(world: World, agents: number): Promise<string> {
  const { id } = (await (await world.post('/v1/jobs', { brief: 'A crowd at work.' })).json()) as { id: string };
  const spawns = names(agents).map((name): Draft => {
    const draft = spawned(name);
    if (draft.type !== 'agent.spawned' || name === 'a0') return draft;
    return { ...draft, body: { ...draft.body, parent: 'a0', role: `reader ${name.slice(1)} of the archive` } };
  });
  await decide(world, id, accepted());
  for (let at = 0; at < spawns.length; at += 100) await decide(world, id, ...spawns.slice(at, at + 100));
  return id;
}

/** One step of every agent: a decision, a request and an outcome each. `pace`: pause between outcomes, ms. */
export async function round(world: World, id: string, agents: number, step: number, pace = 0): Promise<void> {
  const at = addressOf(id);
  const all = names(agents);
  const seq = await decide(world, id, ...all.map((name) => requested(name, step)));
  const dispatch = (name: string) => world.log.dispatch(at, { seq, type: 'step.requested', key: `${name}-${step}-1` });
  await Promise.all(all.map(dispatch));
  if (pace === 0) await Promise.all(all.map((name) => world.runner.append(at, settled(name, step))));
  else
    for (const name of all) {
      await world.runner.append(at, settled(name, step));
      await new Promise((resolve) => setTimeout(resolve, pace));
    }
}
