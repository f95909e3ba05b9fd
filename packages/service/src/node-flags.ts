/**
 * Flags of Node under which services run; `loom` and `deploy/images/run` spell them too. Room instead of processor time is what Node chooses on a
 * large machine: a young generation eight times as large, an old one that is cleared at up to four times what lives in it. These take 25 MiB less than
 * 16 MiB and 100 % would, for a tenth of the processor time of a service that is never idle (docs/benchmarks.md).
 */
export const nodeFlags: readonly string[] = [
  '--disable-warning=ExperimentalWarning',
  '--max-semi-space-size=8',
  '--heap-growing-percent=60',
];

/** The environment they run in, spelled in the same places: one heap of malloc for all threads. What one thread of V8's gave back is another's to take. */
export const nodeEnvironment = { MALLOC_ARENA_MAX: '1' } as const;
