import type { Job } from '@loom/job';
import type { Bodies } from '@loom/schemas';

/** What was recorded when the job was taken in; only asked for after that. */
export function termsOf(job: Job): Bodies['job.accepted'] {
  if (!job.accepted) throw new Error(`${job.stream} is not taken in yet`);
  return job.accepted;
}

/** The recorded price of a model; every model of a job was priced when it was taken in. */
export function priceOf(job: Job, model: string): Bodies['job.accepted']['prices'][number] {
  const price = termsOf(job).prices.find((entry) => entry.model === model);
  if (!price) throw new Error(`${job.stream} has no price for ${model}`);
  return price;
}
