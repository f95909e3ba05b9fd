/** What a benchmark and its worker processes tell each other over the process channel. */
import type { Measured } from './meter.ts';

/**
 * `pingpong`: loops of `steps`; `fanout`: one request, `width` answers at once, and what waits for all of them; `swarm`: the same, each answer after `steps` with a tool, by a
 * model that takes from nothing to `pause` ms, so that outcomes come one by one, as they do from real ones, and are not decided on by the dozen.
 */
export type Shape =
  | { readonly kind: 'pingpong'; readonly steps: number }
  | { readonly kind: 'fanout'; readonly width: number }
  | { readonly kind: 'swarm'; readonly width: number; readonly steps: number; readonly pause: number };

/** Which halves of the loop a worker runs: who decides, who works, or both as `loom up` does. */
export type Half = 'decider' | 'runner' | 'both';

export interface Work {
  /** Loom's services, the log without them, or a bare JetStream client. */
  readonly side: 'loom' | 'log' | 'raw';
  readonly half: Half;
  readonly shape: Shape;
  readonly url: string;
  readonly rootKeyFile: string;
  readonly poolPublicKey: string;
  /** Event streams, or raw streams. */
  readonly streams: number;
  /** Micro-USD per million tokens; 0: nothing is claimed. */
  readonly price: number;
}

export type Ask =
  | { readonly kind: 'reset' }
  /** Raw side alone: begins these loops. */
  | { readonly kind: 'begin'; readonly loops: readonly string[] }
  | { readonly kind: 'measure'; readonly together: boolean }
  | { readonly kind: 'stop' };

export type Tell =
  | { readonly kind: 'ready' }
  | { readonly kind: 'ended' }
  | {
      readonly kind: 'measured';
      readonly measured: Measured;
      /** Processor time of this process since the reset, µs. */
      readonly cpu: number;
      /** Resident, MiB. */
      readonly memory: number;
    };
