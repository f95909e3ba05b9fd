export { rules } from './domain/check.ts';
export type { Finding } from './domain/check.ts';
export type { Rule } from './domain/rule.ts';
export { checkJob } from './job.ts';
