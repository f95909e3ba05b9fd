import { createHash } from 'node:crypto';
import { essenceOf } from './domain/essence.ts';
import type { Job } from './domain/state.ts';

/** SHA-256 of what a state says, hex: equal for two jobs that went the same way, whatever their ids and times. */
export const stateHash = (job: Job): string => createHash('sha256').update(essenceOf(job)).digest('hex');
