import { cluster } from './cluster.ts';
import type { Figure } from './figures.ts';
import { pingpong, type BenchOptions } from './pingpong.ts';
import { replay } from './replay.ts';

export type { BenchOptions, Figure };

/** Every benchmark by its name. */
export const benchmarks: Readonly<Record<string, (options: BenchOptions) => AsyncIterable<Figure>>> = {
  pingpong,
  cluster,
  replay,
};
