import type { Draft } from '@loom/log';
import type { Bodies, FactType } from '@loom/schemas';

/** One decision, not yet recorded. */
export type Decision = Draft;

export const draft = <T extends FactType>(type: T, key: string, body: Bodies[T]): Decision =>
  ({ type, key, body }) as Decision;
