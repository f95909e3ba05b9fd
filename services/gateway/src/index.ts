export { start } from './main.ts';
export { rowOf } from './views/jobs.ts';
