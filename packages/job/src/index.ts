export { conversation, inputBound, momentOf, type Moment } from './domain/conversation.ts';
export { evolve, foldJob, JobCache, type FactReader } from './fold.ts';
export { pendingDispatches, type Dispatch } from './domain/pending.ts';
export { callKeyOf, emptyJob, lastTurn, openAttempts, openCalls, stepKey } from './domain/state.ts';
export type { Agent, Artifact, Attempt, Call, CallResult, Ended, Job, Money, Posted, Turn } from './domain/state.ts';
export { halted, openQuestions, status, type Status } from './domain/status.ts';
export { TEMPLATES, systemPrompt } from './templates.ts';
export * from './tools.ts';
export { artifactList, artifactView, transcript, view, type JobView } from './view.ts';
