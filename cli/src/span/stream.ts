import { openScratch } from '@loom/log';
import type { ScratchOptions, Span } from '@loom/log';
import type { Target } from './copy.ts';

/** A scratch stream as a target. */
export async function streamTarget(options: ScratchOptions): Promise<Target & { readonly span: Span }> {
  const scratch = await openScratch(options);
  return {
    span: scratch.span,
    positions: () => scratch.positions(),
    take: (facts) => scratch.take(facts),
    finish: () => scratch.count(),
    read: () => scratch.read(),
    [Symbol.asyncDispose]: () => scratch[Symbol.asyncDispose](),
  };
}
