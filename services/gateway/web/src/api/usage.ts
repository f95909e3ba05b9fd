/** What was used, as the gateway sums it. */
import type { Api } from './client.ts';

interface Sums {
  readonly jobs: number;
  readonly steps: number;
  readonly spent_micros: number;
}

export interface Group extends Sums {
  /** UTC day, job id or engagement. */
  readonly key: string;
}

export interface Usage {
  readonly from: string;
  readonly total: Sums;
  readonly items: readonly Group[];
}

/** Of the last 30 days: days newest first, all else dearest first. */
export const usageBy = (api: Api, by: 'day' | 'job' | 'model' | 'engagement', limit: number): Promise<Usage> =>
  api.json('GET', `/v1/usage?group_by=${by}&limit=${limit}`);
