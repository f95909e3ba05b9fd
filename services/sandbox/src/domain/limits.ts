/** What one call may use. Numbers from product.md §4 (memory, CPU, time) and reliability.md 3.6 (the rest). */
export const limits = {
  memoryBytes: 512 * 1024 * 1024,
  /** Scratch; counted within the memory. */
  scratchBytes: 256 * 1024 * 1024,
  nanoCpus: 500_000_000,
  wallClockMs: 30_000,
  pids: 128,
  /** Standard output and error together; more ends the call. */
  outputBytes: 1024 * 1024,
  /** Input files together; leaves room in the scratch for what the code writes. */
  inputBytes: 200_000_000,
  files: 200,
  fileBytes: 25_000_000,
  filesBytes: 64_000_000,
} as const;

/** How much of the output a model is shown: the beginning and the end. */
export const shown = {
  stdout: { head: 36 * 1024, tail: 12 * 1024 },
  stderr: { head: 2 * 1024, tail: 6 * 1024 },
} as const;

export type Limits = { readonly [name in keyof typeof limits]: number };
