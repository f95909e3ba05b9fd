/** Milliseconds of a day: retention counts days of 24 hours, never calendar days. */
const day = 24 * 60 * 60 * 1_000;

/** Days that an artifact is kept from its writing (the product's promise); a setting may shorten it, nothing lengthens it. */
export const longestArtifactDays = 90;

/** Whatever was written at or before this time (Unix ms) has been kept for `days` at `now`. */
export function writtenUntil(now: number, days: number): number {
  return now - Math.min(days, longestArtifactDays) * day;
}
