/**
 * A folder that a span of the log is copied into: `part-000001.avro` and so on, Avro container files of facts as they lie in the log, and `span.json`.
 * F1  A part is whole or not there; only then `span.json` names it. What it does not name is no part.
 * F2  `span.json` holds the positions behind its parts: a killed copy goes on there, without gap or repeat.
 */
import type { Gap, RawFact, Span } from '@loom/log';
import { rawContainer, readRawContainer } from '@loom/schemas';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { Failure } from '../failure.ts';
import type { Target } from './copy.ts';
import { manifestName, manifestOf, readManifest, withGaps, writeManifest, writeWhole } from './manifest.ts';
import type { Manifest } from './manifest.ts';

/** A part is written when it has so many facts, so many bytes, or is so old. */
const most = { facts: 5_000, bytes: 8 * 1_048_576, ms: 10_000 };

/** @throws Failure 2 for a folder that holds another span, or something else */
export async function folderTarget(dir: string, span: Span): Promise<Target> {
  await mkdir(dir, { recursive: true, mode: 0o700 });
  return new Folder(dir, await manifestOf(dir, span));
}

class Folder implements Target {
  readonly #dir: string;
  #manifest: Manifest;
  /** Of the part that is not written yet. */
  #waiting: RawFact[] = [];
  #bytes = 0;
  #begun = Date.now();

  constructor(dir: string, manifest: Manifest) {
    this.#dir = dir;
    this.#manifest = manifest;
  }

  async positions(): Promise<ReadonlyMap<string, number>> {
    await this.#flush([]);
    return new Map(Object.entries(this.#manifest.positions));
  }

  async take(facts: readonly RawFact[], gaps: readonly Gap[]): Promise<void> {
    this.#waiting.push(...facts);
    for (const { body } of facts) this.#bytes += body.length;
    const old = Date.now() - this.#begun >= most.ms;
    if (this.#waiting.length >= most.facts || this.#bytes >= most.bytes || old) await this.#flush(gaps);
  }

  async finish(gaps: readonly Gap[]): Promise<number> {
    await this.#flush(gaps);
    await this.#save({ ...withGaps(this.#manifest, gaps), done: true });
    return this.#manifest.facts;
  }

  read(): AsyncIterable<RawFact> {
    return readFolder(this.#dir);
  }

  async [Symbol.asyncDispose](): Promise<void> {}

  async #flush(gaps: readonly Gap[]): Promise<void> {
    const part = this.#waiting;
    [this.#waiting, this.#bytes, this.#begun] = [[], 0, Date.now()];
    if (part.length === 0) return;
    const { parts, positions, facts } = this.#manifest;
    const file = `part-${String(parts.length + 1).padStart(6, '0')}.avro`;
    await writeWhole(this.#dir, file, bytesOf(part));
    await this.#save({
      ...withGaps(this.#manifest, gaps),
      facts: facts + part.length,
      parts: [...parts, { file, facts: part.length }],
      positions: { ...positions, ...Object.fromEntries(part.map(({ stream, seq }) => [stream, seq])) },
    });
  }

  async #save(manifest: Manifest): Promise<void> {
    await writeManifest(this.#dir, manifest);
    this.#manifest = manifest;
  }
}

function bytesOf(facts: readonly RawFact[]): Buffer {
  const file = rawContainer();
  const stored = facts.map(({ headers, ...fact }) => ({
    ...fact,
    headers: headers.flatMap(([name, value]) => (name.startsWith('Nats-') ? [] : [{ name, value }])),
    body: Buffer.from(fact.body),
  }));
  return Buffer.concat([file.head, file.block(stored)]);
}

/** All facts of a copy, in its order. @throws Failure 1 for a part that is not whole */
export async function* readFolder(dir: string): AsyncGenerator<RawFact> {
  const manifest = await readManifest(dir);
  for (const { file, facts } of manifest?.parts ?? []) {
    let count = 0;
    for await (const { headers, ...fact } of readRawContainer(join(dir, file))) {
      count += 1;
      yield { ...fact, headers: headers.map(({ name, value }) => [name, value] as const) };
    }
    if (count !== facts) throw new Failure(1, `${file} has ${count} facts, ${manifestName} says ${facts}`);
  }
}
