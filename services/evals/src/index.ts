export { client } from './client.ts';
export type { Client } from './client.ts';
export type { Suite, SuiteScore } from './domain/score.ts';
export { start } from './main.ts';
export { runSuite } from './run-suite.ts';
export type { RunParts } from './run-suite.ts';
export { suiteNamed } from './suites.ts';
export { suiteRunView } from './views/suite-runs.ts';
