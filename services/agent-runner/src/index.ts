export { start } from './main.ts';
export { modelPorts } from './models/index.ts';
