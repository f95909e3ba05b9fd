export { shredJob } from './consumers/shred.ts';
export { start } from './main.ts';
