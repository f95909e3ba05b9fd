export { start } from './main.ts';
export { auditView } from './views/audit-log.ts';
