export { start } from './main.ts';
export { parentsOf } from './consumers/parents.ts';
export { Sweep, sweepOpenJobs } from './consumers/sweep.ts';
export { consumeTimers, consumeTriggers } from './consumers/triggers.ts';
export { Turns } from './consumers/turn.ts';
export { stepRequest } from './domain/budget.ts';
export { decide, type Decide } from './domain/decide.ts';
export { noSettings, type Intake } from './domain/intake.ts';
export { DECIDER } from './domain/version.ts';
