import { parseArgs, SubmitPlan, type Call, type Job } from '@loom/job';
import { draft, type Decision } from './draft.ts';
import { refuseCall } from './refusal.ts';
import { termsOf } from './terms.ts';

type Planned = { id: string; role: string; task: string; needs?: string[]; required?: boolean; files?: string[] };

/** The plan becomes agents, and a writer who waits for all of them; the planner is done. A plan that cannot be followed is told back to it. */
export function followPlan(job: Job, call: Call): readonly Decision[] {
  const parsed = parseArgs(SubmitPlan, call.args);
  if (!parsed.ok) return [refuseCall(call, 'bad_arguments', parsed.problem)];
  const planned = parsed.args.agents as readonly Planned[];
  const problem = planProblem(job, planned);
  if (problem !== null) return [refuseCall(call, 'bad_plan', problem)];
  const ids = new Map(planned.map(({ id }, index) => [id, `a${index + 1}`]));
  const planner = draft('agent.finished', call.agent, {
    agent: call.agent,
    outcome: 'done',
    code: '',
    reason: null,
    last_step: `${call.agent}-${call.step}`,
  });
  return [...planned.map((agent) => worker(job, agent, ids)), writer(job, [...ids.values()]), planner];
}

function worker(job: Job, planned: Planned, ids: ReadonlyMap<string, string>): Decision {
  const agent = ids.get(planned.id) ?? '';
  return draft('agent.spawned', agent, {
    agent,
    parent: 'a0',
    call: null,
    depth: 1,
    kind: 'worker',
    role: planned.role,
    task: planned.task,
    needs: (planned.needs ?? []).map((id) => ids.get(id) ?? ''),
    required: planned.required ?? false,
    model: termsOf(job).models.worker,
    files: planned.files ?? [],
  });
}

function writer(job: Job, needs: readonly string[]): Decision {
  const agent = `a${needs.length + 1}`;
  return draft('agent.spawned', agent, {
    agent,
    parent: 'a0',
    call: null,
    depth: 1,
    kind: 'writer',
    role: 'writer',
    task: 'Make the files that the brief asks for from the results of the other agents.',
    needs,
    required: true,
    model: termsOf(job).models.writer,
    files: (job.submitted?.attachments ?? []).map(({ name }) => name),
  });
}

/** What is wrong with a plan, in words for the planner; null when nothing is. */
export function planProblem(job: Job, planned: readonly Planned[]): string | null {
  const { limits } = termsOf(job);
  const most = Math.min(limits.max_fan_out, limits.max_agents - 2);
  if (planned.length > most) return `At most ${most} agents can be planned; this plan has ${planned.length}.`;
  const ids = new Set(planned.map(({ id }) => id));
  if (ids.size < planned.length) return 'Two agents have the same id.';
  const stranger = planned.flatMap(({ needs = [] }) => needs).find((id) => !ids.has(id));
  if (stranger !== undefined) return `An agent needs ${JSON.stringify(stranger)}, which is not in the plan.`;
  const unknown = planned
    .flatMap(({ files = [] }) => files)
    .find((file) => !job.submitted?.attachments.some(({ name }) => name === file));
  if (unknown !== undefined) return `There is no attachment named ${JSON.stringify(unknown)}.`;
  return cyclic(planned) ? 'The agents wait for each other in a circle.' : null;
}

function cyclic(planned: readonly Planned[]): boolean {
  const waiting = new Map(planned.map(({ id, needs = [] }) => [id, new Set(needs)]));
  for (
    let free = [...waiting].filter(([, needs]) => needs.size === 0);
    free.length > 0;
    free = [...waiting].filter(([, needs]) => needs.size === 0)
  )
    for (const [id] of free) {
      waiting.delete(id);
      for (const needs of waiting.values()) needs.delete(id);
    }
  return waiting.size > 0;
}
