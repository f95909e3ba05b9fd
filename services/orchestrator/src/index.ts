export { start } from './main.ts';
export { stepRequest } from './domain/budget.ts';
export { decide, type Decide } from './domain/decide.ts';
export type { Intake } from './domain/intake.ts';
export { DECIDER } from './domain/version.ts';
