export { start } from './main.ts';
export { usageView } from './views/usage.ts';
