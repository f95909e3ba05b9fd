/** Jobs under load, and what people do to them meanwhile: cancel, kill, cut the budget, raise it. */
import { setTimeout as sleep } from 'node:timers/promises';
import { serviceOf } from './faults.ts';
import type { Rig } from './rig.ts';
import { briefOf } from './script.ts';

/** Enough for any job of the script. Micro-USD. */
const plenty = 50_000_000;

const over = ['completed', 'failed', 'refused', 'cancelled'];

/** One job; its id. */
export async function submit(
  rig: Rig,
  agents: number,
  code: boolean,
  budget = plenty,
  brief = briefOf(agents, code, `Job ${rig.jobs.size}`),
): Promise<string> {
  const { status, body } = await rig.door.call('POST', '/v1/jobs', { brief, budget_micros: budget });
  if (status !== 202 && status !== 201 && status !== 200)
    throw new Error(`a job was not taken: ${JSON.stringify(body)}`);
  const id = String(body['id']);
  rig.jobs.add(id);
  return id;
}

/** What a person may do to a job. */
const acts: Readonly<Record<string, (rig: Rig, id: string) => Promise<unknown>>> = {
  cancel: ({ door }, id) => door.call('POST', `/v1/jobs/${id}/cancel`),
  kill: ({ door }, id) => door.call('POST', `/v1/jobs/${id}/kill`),
  cut: ({ door }, id) => door.call('POST', `/v1/jobs/${id}/budget`, { budget_micros: 1_000 }),
  raise: ({ door, random }, id) =>
    door.call('POST', `/v1/jobs/${id}/budget`, { budget_micros: plenty + random.below(1_000) }),
};

/** Submits so many jobs and does something to about every third. Resolves when the last has been submitted and acted on; acts that nobody took. */
export async function load(rig: Rig, jobs: number, everyMs: number): Promise<readonly string[]> {
  const { random } = rig;
  const acting: Promise<readonly string[]>[] = [];
  for (let count = 0; count < jobs; count += 1) {
    const id = await submit(rig, 1 + random.below(3), random.chance(0.4), random.chance(0.15) ? 60_000 : plenty);
    if (random.chance(0.35)) acting.push(act(rig, id));
    await sleep(random.below(2 * everyMs));
  }
  return (await Promise.all(acting)).flat();
}

async function act(rig: Rig, id: string): Promise<readonly string[]> {
  const name = rig.random.pick(Object.keys(acts));
  await sleep(rig.random.below(2_500));
  try {
    await acts[name]?.(rig, id);
    return [];
  } catch (cause) {
    return [String(cause)];
  }
}

/** whoever was asked never answers, and the job ends all the same. Those that did not within `seconds`, in words. */
export function withoutSandboxes(rig: Rig, seconds: number, signal?: AbortSignal): Promise<readonly string[]> {
  const sandboxes = rig.faults.replicas.filter((name) => serviceOf(name) === 'sandbox');
  return rig.faults.outage(sandboxes, async () => {
    const ids = await Promise.all([submit(rig, 1, true), submit(rig, 2, true)]);
    return (await unended(rig, ids, seconds, signal)).map((one) => `${one}, without a sandbox`);
  });
}

export async function statusOf({ door }: Rig, id: string): Promise<string> {
  return String((await door.call('GET', `/v1/jobs/${id}`)).body['status']);
}

/** Those of the jobs that have not ended within `seconds`, with their status. Whoever waits for money gets it. */
export async function unended(
  rig: Rig,
  ids: Iterable<string>,
  seconds: number,
  signal?: AbortSignal,
): Promise<readonly string[]> {
  const open = new Map([...ids].filter((id) => !rig.ended.has(id)).map((id) => [id, '']));
  const paid = new Set<string>();
  const end = Date.now() + seconds * 1000;
  for (; open.size > 0 && Date.now() < end && !signal?.aborted; await sleep(250)) {
    for (const id of open.keys()) {
      const status = await statusOf(rig, id);
      if (over.includes(status)) {
        open.delete(id);
        rig.ended.add(id);
      } else open.set(id, status);
      if (status !== 'waiting_budget' || paid.has(id)) continue;
      paid.add(id);
      await rig.door.call('POST', `/v1/jobs/${id}/budget`, { budget_micros: 2 * plenty });
    }
  }
  return [...open].map(([id, status]) => `${id} is still ${status}`);
}
