export { asked, conversation, momentOf, type Moment } from './domain/conversation.ts';
export { bundleOf, openBundle } from './bundle.ts';
export { cutOf, nextRecorded, playsBack, recordedOutcome, replayOf } from './domain/fork.ts';
export { diffOf, type JobDiff } from './domain/diff.ts';
export { evolve, foldJob, JobCache, wrongSnapshot, type FactReader } from './fold.ts';
export { isParking, isSpent, mayPass, parkedAttempt, parkingTimer } from './domain/parked.ts';
export { pendingDispatches, type Dispatch } from './domain/pending.ts';
export { callKeyOf, emptyJob, lastTurn, openAttempts, openCalls, stepKey } from './domain/state.ts';
export type {
  Agent,
  Artifact,
  Attempt,
  Call,
  CallResult,
  Ended,
  Fork,
  Job,
  Money,
  Posted,
  Recorded,
  Turn,
} from './domain/state.ts';
export { endTypes, halted, isEnd, openQuestions, status, type Status } from './domain/status.ts';
export { parkedSteps, resolveStep, type ParkedStep, type Try } from './parked-steps.ts';
export { FOLD } from './fold-version.ts';
export { packState, snapshotEvery, unpackState } from './snapshot.ts';
export { stateHash } from './state-hash.ts';
export { TEMPLATES, systemPrompt } from './templates.ts';
export { toolInput } from './tool-input.ts';
export * from './tools.ts';
export { artifactList, artifactView, moneyOf, transcript, view, type JobView } from './view.ts';
