export { shredJob } from './consumers/shred.ts';
export { start } from './main.ts';
export { artifactView } from './views/artifacts.ts';
