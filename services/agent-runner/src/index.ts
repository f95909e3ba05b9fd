export { start } from './main.ts';
export { recordedStep, recordedTool } from './domain/playback.ts';
export { modelPorts, silentPort } from './models/index.ts';
