export type {
  FailureDetail,
  Message,
  ModelPort,
  ModelReply,
  ModelRequest,
  Situation,
  ToolCall,
  ToolResult,
  ToolSpec,
  Usage,
} from './port.ts';
export { ModelFailure } from './port.ts';
export type { ModelInfo, Price, Provider } from './pricing.ts';
export { cost, isFree, priceVersionOf, reserve } from './pricing.ts';
export type { ModelChoice, Role, RoleModels } from './choice.ts';
export { isPrivate, modelOf, modelsFromEnv, providersOf } from './choice.ts';
export { modelTable } from './price-book.ts';
