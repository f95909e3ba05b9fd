export { start } from './main.ts';
export { watchKills } from './consumers/kills.ts';
export type { Parts } from './consumers/parts.ts';
export { handleStep } from './consumers/steps.ts';
export { handleTool } from './consumers/tools.ts';
export { recordedStep, recordedTool } from './domain/playback.ts';
export { modelPorts, silentPort } from './models/index.ts';
