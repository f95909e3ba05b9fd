/** Following one job to its end: what is shown, what is asked, what is answered. */
import type { JobView } from '@loom/job';
import { createInterface } from 'node:readline/promises';
import type { Output } from '../output.ts';
import type { Gateway, JobEvent } from './gateway.ts';
import { linesOf } from './lines.ts';
import { dollars, SwarmView } from './swarm.ts';

export interface FollowOptions {
  /** `ask` puts questions to the person at the terminal; `deny` tells the agents that nobody can answer. */
  readonly approve: 'ask' | 'deny';
  readonly signal: AbortSignal;
}

/** Agents are told this when nobody is there to answer. */
const NOBODY = 'Nobody can answer now. Go on with the most careful reading, and say in the result what you assumed.';
const REDRAW_MS = 250;

/** Shows a job until its terminal fact; answers its questions on the way. */
export async function follow(gateway: Gateway, id: string, out: Output, options: FollowOptions): Promise<JobView> {
  const live = process.stderr.isTTY && !out.json ? new SwarmView(process.stderr) : null;
  const answered = new Set<string>();
  const redraw = live
    ? setInterval(
        () =>
          void gateway.job(id).then(
            (job) => live.draw(job, Date.now()),
            () => undefined,
          ),
        REDRAW_MS,
      )
    : undefined;
  try {
    for await (const event of gateway.events(id, 0, options.signal)) {
      show(event, out, live);
      if (waits(event)) await attend(gateway, id, out, { ...options, answered, live });
    }
  } finally {
    clearInterval(redraw);
  }
  const job = await gateway.job(id);
  live?.draw(job, Date.now());
  return job;
}

function show(event: JobEvent, out: Output, live: SwarmView | null): void {
  if (event.seq !== null) out.record(event.data);
  if (!live && !out.json) for (const line of linesOf(event)) out.note(line);
}

const waits = (event: JobEvent): boolean =>
  failed(event) ||
  JSON.stringify([event.type, event.data['items'] ?? '']).match(/input\.requested|budget\.exhausted/) !== null;

/** It may have been the last try. */
const failed = ({ type, data }: JobEvent): boolean =>
  type === 'step.settled' && (data['body'] as { readonly outcome?: string } | undefined)?.outcome !== 'completed';

interface Attention extends FollowOptions {
  readonly answered: Set<string>;
  readonly live: SwarmView | null;
}

async function attend(gateway: Gateway, id: string, out: Output, how: Attention): Promise<void> {
  const job = await gateway.job(id);
  how.live?.clear();
  for (const { id: agent } of job.agents.filter(({ status }) => status === 'parked'))
    out.note(`${agent} is parked: no try is left. ./loom parked says why; ./loom parked redrive --all tries again`);
  for (const { id: question, question: text } of job.pending.filter(
    (one) => one.kind === 'input' && !how.answered.has(one.id),
  )) {
    how.answered.add(question);
    const answer = canAsk(how) ? await ask(`${text}\n> `, how.signal) : NOBODY;
    await gateway.json('POST', `/v1/jobs/${id}/messages`, { text: answer || NOBODY, in_reply_to: question });
  }
  if (job.status === 'waiting_budget') await askForBudget(gateway, job, out, how);
}

const canAsk = (how: Attention): boolean => how.approve === 'ask' && Boolean(process.stdin.isTTY);

async function askForBudget(gateway: Gateway, job: JobView, out: Output, how: Attention): Promise<void> {
  const question = `The next step does not fit the budget of ${dollars(job.budget_micros)} (spent ${dollars(job.spent_micros)}). New budget in dollars, or nothing to stop:\n> `;
  const wanted = canAsk(how) ? Number(await ask(question, how.signal)) : 0;
  if (wanted > 0)
    return void (await gateway.json('POST', `/v1/jobs/${job.id}/budget`, {
      budget_micros: Math.round(wanted * 1_000_000),
    }));
  out.note(
    `the budget of ${dollars(job.budget_micros)} is used up: the job is cancelled; run it again with a larger --budget`,
  );
  await gateway.json('POST', `/v1/jobs/${job.id}/cancel`);
}

async function ask(question: string, signal: AbortSignal): Promise<string> {
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return (await terminal.question(question, { signal })).trim();
  } finally {
    terminal.close();
  }
}
