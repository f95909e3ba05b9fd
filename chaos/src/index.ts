export { randomOf, type Random } from './random.ts';
export { controls, type Control } from './controls.ts';
export { chaos, type Outcome, type Plan } from './run.ts';
export { trial, type Trial } from './trial.ts';
