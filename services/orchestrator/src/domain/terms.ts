import type { Job } from '@loom/job';
import type { Bodies } from '@loom/schemas';

/** What was recorded when the job was taken in; only asked for after that. */
export function termsOf(job: Job): Bodies['job.accepted'] {
  if (!job.accepted) throw new Error(`${job.stream} is not taken in yet`);
  return job.accepted;
}
