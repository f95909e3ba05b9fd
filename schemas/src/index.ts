export type * from './generated.ts';
export { factTypes } from './generated.ts';
export type { KeyName } from './schema.ts';
