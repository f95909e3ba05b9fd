export type * from './generated.ts';
export { factTypes } from './generated.ts';
export type { KeyName } from './schema.ts';
export type { Sealer, Wire } from './wire.ts';
export { clearOf, decodeWire, emptyOpened, encodeWire, fromWire, isContentFree, sealedPaths, toWire } from './wire.ts';
export { normal } from './normal.ts';
export { canonical } from './canonical.ts';
export { openedSchemas, schemas } from './registry.ts';
