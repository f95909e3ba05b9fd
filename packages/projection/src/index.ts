export type { Position } from './checkpoint.ts';
export { answers, openPool } from './pool.ts';
export { applyBatch, asTenant, project } from './project.ts';
export type { ProjectOptions, Projection } from './project.ts';
export { startProjection } from './start.ts';
export type { Parts } from './start.ts';
export { transact } from './transaction.ts';
export type { Tx } from './transaction.ts';
