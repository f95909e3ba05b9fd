export { controls, type Control } from './controls.ts';
export { chaos, type Outcome, type Plan } from './run.ts';
