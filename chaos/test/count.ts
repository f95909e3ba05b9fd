/** How often: a part of the catalogue's count in CI, all of it by LOOM_NIGHTLY=1. */
export const nightly = process.env['LOOM_NIGHTLY'] === '1';

export const times = (ci: number, full: number): number => (nightly ? full : ci);

/** LOOM_SEED repeats a run; it is printed, so that there is something to repeat. */
export const seed = Number(process.env['LOOM_SEED'] ?? Math.floor(Math.random() * 2 ** 31));
console.log(`seed: LOOM_SEED=${seed}`);
