export { jobView } from './consumers/jobs.ts';
export { start } from './main.ts';
export { plain } from './present.ts';
export { rowOf } from './views/jobs.ts';
