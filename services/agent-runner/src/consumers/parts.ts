import type { Blobs } from '@loom/blobs';
import type { JobCache } from '@loom/job';
import type { Log } from '@loom/log';
import type { ModelInfo, ModelPort, Provider } from '@loom/models';
import { metrics } from '@loom/service';
import type { Vault } from '@loom/vault';
import type { StepSettled } from '../domain/settle.ts';
import type { Kills } from './kills.ts';

/** What the consumers work with. */
export interface Parts {
  readonly log: Pick<Log, 'append' | 'get' | 'live' | 'now'>;
  readonly jobs: Pick<JobCache, 'at'>;
  readonly vault: Pick<Vault, 'open'>;
  readonly blobs: Pick<Blobs, 'get' | 'put'>;
  readonly kills: Kills;
  /** Models that this installation runs. */
  readonly models: readonly ModelInfo[];
  readonly ports: ReadonlyMap<Provider, ModelPort>;
  /** Outcomes of calls that were made but could not be appended yet, by slot. */
  readonly unsettled: Map<string, StepSettled>;
  /** Random id of this process. */
  readonly worker: string;
}

export const outcomes = {
  steps: metrics.counter('loom_runner_steps', 'Model calls by provider, outcome and code.'),
  tools: metrics.counter('loom_runner_tools', "Calls of the runner's own tools by tool, outcome and code."),
  tokens: metrics.counter('loom_runner_tokens', 'Tokens by provider and direction.'),
} as const;
