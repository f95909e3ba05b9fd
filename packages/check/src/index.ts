export { rules } from './domain/check.ts';
export type { Finding } from './domain/check.ts';
export type { Rule } from './domain/rule.ts';
export { checkJob } from './job.ts';
export { checkLog } from './log.ts';
export type { CheckOptions, Progress, Report } from './log.ts';
export type { EngineRun, Ledgers, PaidCall, Waste } from './domain/ledger.ts';
export { rederive } from './rederive.ts';
export type { Decide, Rederived } from './rederive.ts';
