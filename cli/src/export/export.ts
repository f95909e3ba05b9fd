/**
 * Writes the log's metadata into files by day and tenant, from where the folder's manifest stands up to the log's end at the start.
 * E1  Clear fields alone; needs no key and has none.
 * E2  A run that is killed goes on without gap or repeat: parts first, then the manifest that counts them, then the next (manifest.ts).
 * E3  A part is never written again: what came later for a day lies in a part of its own.
 */
import { eventOf, lastSeqOf, readRaw, type Log, type RawFact } from '@loom/log';
import type { LogEvent } from '@loom/schemas';
import { LoomError } from '@loom/service';
import { mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Progress } from '../output.ts';
import { bytesOf } from './formats.ts';
import { clearLeftovers, openManifest, partName, positionIn, writeManifest, writeWhole } from './manifest.ts';
import type { Manifest, Wish } from './manifest.ts';

export interface ExportOptions extends Wish {
  readonly folder: string;
  /** Facts a round of parts, at most. */
  readonly most: number;
  readonly progress?: Progress;
}

/** What a round takes down: facts of any stream, and how far each was read. */
interface Round {
  manifest: Manifest;
  events: LogEvent[];
}

/** @throws Failure as `openManifest` and `positionIn`; LoomError `log_unavailable` */
export async function exportLog(log: Log, options: ExportOptions): Promise<Manifest> {
  const { folder, format, tenant, since, until } = options;
  const manifest = await openManifest(folder, { format, tenant, since, until });
  await clearLeftovers(folder, manifest);
  const round: Round = { manifest, events: [] };
  const ends = await Promise.all(log.streams.map(async (stream) => [stream, await lastSeqOf(log, stream)] as const));
  const begins = new Map(ends.map(([stream]) => [stream, positionIn(manifest, stream, log.incarnation(stream))]));
  const tell = teller(options.progress, ends, begins);
  for (const [stream, end] of ends) {
    for await (const raw of readRaw(log, stream, { after: begins.get(stream) ?? 0, upto: end })) {
      take(round, raw, options, log.incarnation(stream));
      tell(raw, round.manifest);
      if (round.events.length >= options.most) await finish(round, options);
    }
  }
  await finish(round, options);
  return round.manifest;
}

function teller(
  progress: Progress | undefined,
  ends: readonly (readonly [string, number])[],
  begins: ReadonlyMap<string, number>,
) {
  const total = ends.reduce((sum, [stream, end]) => sum + end - (begins.get(stream) ?? 0), 0);
  let told = 0;
  return ({ stream, seq }: RawFact, { streams }: Manifest): void => {
    if (Date.now() - told < 1000) return;
    told = Date.now();
    const done = ends.reduce((sum, [name]) => sum + (streams[name]?.seq ?? 0) - (begins.get(name) ?? 0), 0);
    progress?.at(total === 0 ? null : done / total, `${stream} ${seq}`);
  };
}

function take(round: Round, raw: RawFact, { tenant, since, until }: ExportOptions, incarnation: string): void {
  const { stream: log, seq, time } = raw;
  const streams = { ...round.manifest.streams, [log]: { incarnation, seq } };
  round.manifest = { ...round.manifest, streams };
  if (since !== null && time < Date.parse(since)) return;
  if (until !== null && time >= Date.parse(until)) return;
  if (tenant !== null && raw.subject.split('.')[3] !== tenant) return;
  try {
    round.events.push(eventOf(raw));
  } catch (cause) {
    const { code } = LoomError.from(cause);
    round.manifest = { ...round.manifest, unreadable: [...round.manifest.unreadable, { log, seq, code }] };
  }
}

const dayOf = (time: number): string => new Date(time).toISOString().slice(0, 10);

async function finish(round: Round, { folder, format }: ExportOptions): Promise<void> {
  const events = round.events.splice(0);
  const { rounds, facts } = round.manifest;
  const groups = Map.groupBy(events, ({ time, tenant }) => `day=${dayOf(time)}/tenant=${tenant}`);
  for (const [place, own] of groups) {
    const file = join(folder, place, partName(rounds + 1, format));
    await mkdir(dirname(file), { recursive: true });
    await writeWhole(file, bytesOf[format](own));
  }
  round.manifest = { ...round.manifest, rounds: rounds + (events.length > 0 ? 1 : 0), facts: facts + events.length };
  await writeManifest(folder, round.manifest);
}
