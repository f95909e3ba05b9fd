import type { Call, Job } from '@loom/job';
import { draft, type Decision } from './draft.ts';

/** Files under final/ of settled calls that are not on record yet; their data keys go under the tenant's key, so that they outlive the transcript. */
export const artifactsDue = (job: Job): readonly Decision[] => job.filed.flatMap((call) => unwritten(job, call));

function unwritten(job: Job, call: Call): readonly Decision[] {
  return call.files.flatMap((file, index) => {
    const key = `${call.key}-${index}`;
    if (job.artifacts.has(key) || !file.path.startsWith('final/')) return [];
    const { path, media_type, size, sha256, object, data_key } = file;
    const body = { agent: call.agent, call: call.key, path, media_type, size, sha256, object, data_key };
    return [draft('artifact.written', key, body)];
  });
}
