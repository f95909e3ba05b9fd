import { replayOf } from './domain/fork.ts';
import { parkedAttempt } from './domain/parked.ts';
import { openQuestions, status, type Status } from './domain/status.ts';
import type { Agent, Artifact, Job, Turn } from './domain/state.ts';

const day = 86_400_000;
const iso = (ms: number): string => new Date(ms).toISOString();

export interface AgentView {
  readonly id: string;
  readonly role: string;
  readonly task: string;
  readonly kind: string;
  readonly status: string;
  readonly steps: number;
  readonly tool: string | null;
  readonly tokens: number;
  readonly spent_micros: number;
}

/** The job as api.md shows it to its owner. */
export interface JobView {
  readonly id: string;
  readonly status: Status;
  readonly brief: string;
  readonly engagement: string;
  readonly created_at: string;
  readonly updated_at: string;
  readonly budget_micros: number;
  readonly reserved_micros: number;
  readonly spent_micros: number;
  readonly agents: readonly AgentView[];
  readonly pending: readonly {
    readonly kind: 'input' | 'checkpoint';
    readonly id: string;
    readonly agent: string;
    readonly question: string;
  }[];
  readonly artifacts: readonly ReturnType<typeof artifactView>[];
  readonly metadata: Readonly<Record<string, string>>;
  readonly last_seq: number;
  readonly replayable_until: string | null;
  readonly model: string;
  readonly refusal?: { readonly code: string; readonly reason: string };
  readonly failure?: { readonly code: string; readonly reason: string };
  readonly follows?: string;
  readonly forked_from?: string;
  readonly from_seq?: number;
  readonly mode?: 'playback' | 're-execute';
  /** Of a fork: what its recorded part cost the parent. */
  readonly recorded_micros?: number;
}

export function view(job: Job): JobView {
  return {
    ...asked(job),
    id: job.stream,
    status: status(job),
    created_at: iso(job.submittedAt),
    updated_at: iso(job.time),
    ...moneyOf(job),
    ...forkView(job),
    agents: [...job.agents.values()].map((agent) => agentView(job, agent)),
    pending: openQuestions(job).map((question) => ({ kind: 'input', ...question })),
    artifacts: artifactList(job).map(artifactView),
    last_seq: job.seq,
    replayable_until: job.ended ? iso(job.ended.at + 90 * day) : null,
    model: job.accepted?.models.worker ?? '',
    ...ending(job),
  };
}

/** What a job may spend and spends. A playback keeps the parent's books, so that it decides alike, and spends nothing. */
export function moneyOf({
  money,
  submitted,
}: Job): Pick<JobView, 'budget_micros' | 'reserved_micros' | 'spent_micros'> {
  const { cap: budget_micros, reserved, settled } = money;
  if (submitted?.mode === 'playback') return { budget_micros, reserved_micros: 0, spent_micros: 0 };
  return { budget_micros, reserved_micros: reserved, spent_micros: settled };
}

function forkView(job: Job): Pick<JobView, 'forked_from' | 'from_seq' | 'mode' | 'recorded_micros'> {
  const { submitted, fork, money } = job;
  const mode = replayOf(job);
  if (!submitted?.forked_from || mode === undefined) return {};
  const recorded = mode === 'playback' ? money.settled : (fork?.recordedMicros ?? 0);
  return { forked_from: submitted.forked_from, from_seq: submitted.from_seq ?? 0, mode, recorded_micros: recorded };
}

function asked({ submitted }: Job): Pick<JobView, 'brief' | 'engagement' | 'metadata' | 'follows'> {
  if (!submitted) return { brief: '', engagement: '', metadata: {} };
  const { brief, engagement, metadata, follows } = submitted;
  return {
    brief,
    engagement,
    metadata,
    ...(follows === null ? {} : { follows }),
  };
}

function ending(job: Job): Pick<JobView, 'refusal' | 'failure'> {
  if (job.ended?.type === 'job.refused')
    return { refusal: { code: job.ended.body.code, reason: job.ended.body.reason } };
  if (job.ended?.type === 'job.failed')
    return { failure: { code: job.ended.body.code, reason: job.ended.body.reason } };
  return {};
}

function agentView(job: Job, agent: Agent): AgentView {
  return {
    id: agent.id,
    role: agent.spawned.role,
    task: agent.spawned.task,
    kind: agent.spawned.kind,
    status: agentStatus(job, agent),
    tool: agent.turns.at(-1)?.calls.find((call) => call.result === null)?.name ?? null,
    ...workOf(agent),
  };
}

/** Summed without a list in between: a page goes through every step of every agent each time that something came. */
function workOf({ turns }: Agent): Pick<AgentView, 'steps' | 'tokens' | 'spent_micros'> {
  const work = { steps: 0, tokens: 0, spent_micros: 0 };
  for (const { reply, attempts } of turns) {
    if (reply !== null) work.steps += 1;
    for (const { settled } of attempts) {
      if (settled === null) continue;
      work.tokens += settled.tokens_in + settled.tokens_out;
      work.spent_micros += settled.cost_micros;
    }
  }
  return work;
}

function agentStatus(job: Job, agent: Agent): string {
  if (agent.finished) return agent.finished.outcome;
  const turn = agent.turns.at(-1);
  if (!turn) return agent.spawned.needs.some((id) => !job.agents.get(id)?.finished) ? 'waiting' : 'ready';
  if (parkedAttempt(job, agent)) return 'parked';
  if (!turn.reply) return turn.attempts.at(-1)?.settled ? 'retrying' : 'thinking';
  return callStatus(agent, turn);
}

/** A worker that asks for nothing more is done, also before the decision that records it. */
function callStatus(agent: Agent, { calls }: Turn): string {
  if (calls.length === 0 && agent.spawned.kind === 'worker') return 'done';
  const open = calls.filter((call) => call.result === null);
  if (open.some((call) => call.where === 'person')) return 'asking';
  return open.length > 0 ? 'acting' : 'ready';
}

/** The newest artifact of each path. */
export function artifactList(job: Job): Artifact[] {
  return [...new Map([...job.artifacts.values()].map((artifact) => [artifact.path, artifact])).values()];
}

export function artifactView(artifact: Artifact) {
  return {
    path: artifact.path,
    size: artifact.size,
    sha256: artifact.sha256,
    media_type: artifact.mediaType,
    starred: false,
    expires_at: iso(artifact.time + 90 * day),
  };
}

/** Messages per agent in order; a tool call stands with its result. */
export function transcript(job: Job) {
  return [...job.agents.values()].map((agent) => ({
    agent: agent.id,
    role: agent.spawned.role,
    task: agent.spawned.task,
    messages: agent.turns.flatMap((turn) =>
      turn.reply
        ? [
            {
              step: turn.n,
              role: 'assistant',
              text: turn.reply.text,
              tool_calls: turn.calls.map((call) => ({
                id: call.key,
                name: call.name,
                args: call.args,
                outcome: call.result?.outcome ?? null,
                result: call.result?.text ?? null,
              })),
            },
          ]
        : [],
    ),
  }));
}
