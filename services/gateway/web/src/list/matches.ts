import type { Summary } from '../api/jobs.ts';
import { worded } from '../model/figures.ts';

/** Whether every word that is looked for stands somewhere in the job. */
export function matches(job: Summary, wanted: string): boolean {
  const text = `${job.brief} ${job.engagement} ${job.status} ${worded(job.status)} ${job.id}`.toLowerCase();
  return wanted
    .toLowerCase()
    .split(/\s+/)
    .every((word) => text.includes(word));
}
