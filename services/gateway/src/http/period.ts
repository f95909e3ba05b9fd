/** Periods as callers name them: `from` up to, not including, `to`. */
import { LoomError } from '@loom/service';
import { Type } from 'typebox';

const form = String.raw`^\d{4}-\d\d-\d\d(T\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d))?$`;
const moment = (description: string) => Type.Optional(Type.String({ pattern: form, description }));

/** The two as query parameters. */
export const periodQuery = {
  from: moment('RFC 3339; a date is its UTC midnight. Default: 30 days before `to`.'),
  to: moment('As `from`, and not part of the period. Default: now.'),
};

const usual = 30 * 86_400_000;

/** @throws LoomError `validation_failed` for a day that there is none, and for a period that ends before it begins */
export function periodOf(query: { readonly from?: string; readonly to?: string }, now = Date.now()) {
  const to = query.to === undefined ? now : momentOf('to', query.to);
  const from = query.from === undefined ? to - usual : momentOf('from', query.from);
  if (from >= to) throw new LoomError('validation_failed', 'must be after `from`', { field: 'to' });
  return { from: new Date(from), to: new Date(to) };
}

/** `Date.parse` takes the 30th of February for a day in March. */
function momentOf(field: string, text: string): number {
  const ms = Date.parse(text);
  const day = text.slice(0, 10);
  const real = Number.isFinite(Date.parse(day)) && new Date(Date.parse(day)).toISOString().startsWith(day);
  if (Number.isNaN(ms) || !real) throw new LoomError('validation_failed', 'is no moment', { field });
  return ms;
}
