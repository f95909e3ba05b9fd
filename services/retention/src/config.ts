import { setting } from '@loom/service';
import { longestArtifactDays } from './domain/deadlines.ts';

/** How long artifacts are kept: may be shortened, never lengthened; how often is looked. */
export const settings = {
  artifactDays: setting.integer('LOOM_ARTIFACT_DAYS', { min: 1, max: longestArtifactDays }, longestArtifactDays),
  sweepMinutes: setting.integer('LOOM_SWEEP_MINUTES', { min: 1, max: 24 * 60 }, 60),
};
