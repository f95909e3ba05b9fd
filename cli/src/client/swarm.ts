/** The swarm on a terminal: a line per agent with state, step, tool, tokens, cost and time, redrawn in place. */
import type { JobView } from '@loom/job';

export const dollars = (micros: number): string =>
  `$${(micros / 1_000_000).toFixed(micros > 0 && micros < 10_000 ? 4 : 2)}`;

const marks: Readonly<Record<string, string>> = {
  done: '✓',
  failed: '✗',
  killed: '✗',
  skipped: '-',
  waiting: '·',
  asking: '?',
  thinking: '●',
  acting: '▶',
  ready: '○',
  retrying: '↻',
  parked: '‖',
};

const clock = (ms: number): string =>
  `${Math.floor(ms / 60_000)}:${String(Math.floor(ms / 1000) % 60).padStart(2, '0')}`;

/** The lines of one moment; `since` tells when each agent was first seen at work, Unix ms. */
export function swarmLines(
  job: JobView,
  since: ReadonlyMap<string, { readonly from: number; readonly to: number }>,
  width: number,
): string[] {
  const rows = job.agents.map((agent) => {
    const seen = since.get(agent.id);
    const time = seen ? clock(seen.to - seen.from) : '';
    const doing = agent.tool ?? agent.status;
    return `${marks[agent.status] ?? ' '} ${agent.id.padEnd(4)} ${cut(agent.role, 26).padEnd(26)} step ${String(agent.steps).padStart(2)}  ${cut(doing, 16).padEnd(16)} ${String(agent.tokens).padStart(8)} tok  ${dollars(agent.spent_micros).padStart(8)}  ${time}`;
  });
  const total = `${job.status} · ${dollars(job.spent_micros)} of ${dollars(job.budget_micros)} · ${job.artifacts.length} files`;
  return [...rows, total].map((line) => cut(line, width - 1));
}

const cut = (text: string, width: number): string =>
  text.length > width ? `${text.slice(0, Math.max(width - 1, 0))}…` : text;

interface Stream {
  readonly columns?: number;
  write(text: string): unknown;
}

/** Owns the lines it drew last; redraws over them. */
export class SwarmView {
  readonly #err: Stream;
  readonly #seen = new Map<string, { from: number; to: number }>();
  #height = 0;

  constructor(err: Stream) {
    this.#err = err;
  }

  draw(job: JobView, now: number): void {
    for (const { id, status } of job.agents) {
      if (status === 'waiting') continue;
      const seen = this.#seen.get(id) ?? { from: now, to: now };
      const over = status === 'done' || status === 'failed' || status === 'killed';
      this.#seen.set(id, { from: seen.from, to: over ? seen.to : now });
    }
    const lines = swarmLines(job, this.#seen, this.#err.columns ?? 100);
    this.clear();
    this.#err.write(lines.map((line) => `${line}\n`).join(''));
    this.#height = lines.length;
  }

  /** Takes the lines away, so that something else can be written. */
  clear(): void {
    if (this.#height > 0) this.#err.write(`\u001B[${this.#height}A\u001B[J`);
    this.#height = 0;
  }
}
