export { start } from './main.ts';
export { decide } from './domain/decide.ts';
export type { Intake } from './domain/intake.ts';
export { DECIDER } from './domain/version.ts';
