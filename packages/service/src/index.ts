export { LoomError } from "./errors.ts";
export { errorTable } from "./error-table.ts";
export type { ErrorCode, Retry } from "./error-table.ts";
