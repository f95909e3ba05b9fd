export { bugs, type BugName } from './bugs.ts';
export { seeds, type SeedOptions, type Tally } from './seeds.ts';
export { simulate, type Outcome } from './simulate.ts';
