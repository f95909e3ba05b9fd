export { Behind } from './take.ts';
export { connectLog, openLog } from './connect.ts';
export { consumerTable, filtersOf, rowOf } from './consumers.ts';
export { isAnalyst, natsUsers } from './users.ts';
export type { Analyst, NatsUser } from './users.ts';
export { addAnalyst, analystOf, analysts, removeAnalyst } from './analysts.ts';
export type { AnalystState } from './analysts.ts';
export { setUpLog } from './setup.ts';
export {
  contextOf,
  decisionFilter,
  parseSubject,
  partitionOf,
  prefixOf,
  streamNames,
  streamOf,
  subjectOf,
} from './subjects.ts';
export type { Located } from './subjects.ts';
export type {
  AppendOptions,
  BatchOptions,
  CallKeys,
  ClearConsumer,
  DecideOptions,
  Delivery,
  Hint,
  Log,
  LogOptions,
  OpenConsumer,
  ReadOptions,
  TailOptions,
  Timer,
} from './port.ts';
export { openerOf } from './opener.ts';
export { lastSeqOf, parseRaw, readRaw, sumOfRaw } from './raw.ts';
export type { RawFact } from './raw.ts';
export { drop, foldParked, messageOf, ParkedMessages, parkedMessages, redrive } from './parked.ts';
export type { Parked, Redress } from './parked.ts';
export { withRedriven } from './redrive.ts';
export { openScratch } from './scratch.ts';
export type { Scratch, ScratchOptions } from './scratch.ts';
export { readSpan } from './span.ts';
export type { Gap, Span } from './span.ts';
export type { ScanCursor } from './scan.ts';
export type { NoSnapshot, Snapshots } from './snapshots.ts';
export { eventStream } from './streams.ts';
export type {
  Address,
  Appended,
  ClearFact,
  ClearItem,
  Draft,
  Fact,
  Fence,
  Head,
  Item,
  ItemOf,
  ParsedFact,
  RawItem,
  Replay,
  Source,
} from './types.ts';
export { eventOf } from './event.ts';
