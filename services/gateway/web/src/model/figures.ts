/** How figures read. Money is micro-USD. */

const dollars = new Intl.NumberFormat('en', { style: 'currency', currency: 'USD' });
const cents = new Intl.NumberFormat('en', { style: 'currency', currency: 'USD', maximumFractionDigits: 4 });
const short = new Intl.NumberFormat('en', { notation: 'compact', maximumFractionDigits: 1 });
const whole = new Intl.NumberFormat('en');
const day = new Intl.DateTimeFormat('en', { day: 'numeric', month: 'short' });
const clock = new Intl.DateTimeFormat('en', { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' });
const exact = new Intl.DateTimeFormat('en', {
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit',
  fractionalSecondDigits: 3,
  hourCycle: 'h23',
});

/** Two decimals, four where less than a cent was spent. */
export const money = (micros: number): string =>
  (micros > 0 && micros < 10_000 ? cents : dollars).format(micros / 1_000_000);

export const count = (value: number): string => (value < 10_000 ? whole : short).format(value);

export const counted = (value: number, noun: string): string => `${count(value)} ${noun}${value === 1 ? '' : 's'}`;

export const clockTime = (ms: number): string => exact.format(ms);

/** The clock today, else the day. */
export function when(ms: number, now = Date.now()): string {
  return new Date(ms).toDateString() === new Date(now).toDateString() ? clock.format(ms) : day.format(ms);
}

export const dayOf = (ms: number): string => day.format(ms);

export function duration(ms: number): string {
  const seconds = Math.max(0, ms) / 1_000;
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  if (seconds < 60) return `${Math.round(seconds)} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min ${Math.round(seconds % 60)} s`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

export function bytes(size: number): string {
  if (size < 1_000) return `${size} B`;
  const units = ['kB', 'MB', 'GB'];
  const at = Math.min(units.length - 1, Math.floor(Math.log10(size) / 3) - 1);
  const value = size / 1_000 ** (at + 1);
  return `${value < 10 ? value.toFixed(1) : Math.round(value)} ${units[at]}`;
}

/** Micro-USD of what somebody typed as dollars, or null. */
export function microsOf(typed: string): number | null {
  const match = /^\s*\$?\s*(\d{1,6})(?:[.,](\d{1,6}))?\s*$/.exec(typed);
  if (match === null) return null;
  return Number(match[1]) * 1_000_000 + Number((match[2] ?? '').padEnd(6, '0') || '0');
}

const words: Readonly<Record<string, string>> = {
  waiting_input: 'has a question',
  waiting_approval: 'waits for approval',
  waiting_budget: 'waits for budget',
};

/** A status or state as people say it. */
export const worded = (status: string): string => words[status] ?? status.replaceAll('_', ' ');

/** The same where it stands alone. */
export const titled = (status: string): string => worded(status).replace(/^./, (first) => first.toUpperCase());
