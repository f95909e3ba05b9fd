export { conversation, inputBound, momentOf, type Moment } from './conversation.ts';
export { evolve, resultOf } from './evolve.ts';
export { foldJob, JobCache, type FactReader } from './fold.ts';
export { callKeyOf, emptyJob, lastTurn, openAttempts, openCalls, stepKey } from './state.ts';
export type { Agent, Artifact, Attempt, Call, CallResult, Ended, Job, Money, Posted, Turn } from './state.ts';
export { halted, openQuestions, status, type Status } from './status.ts';
export { TEMPLATES, systemPrompt } from './templates.ts';
export * from './tools.ts';
export { artifactList, artifactView, transcript, view, type JobView } from './view.ts';
