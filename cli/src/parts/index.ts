/** All parts, and bringing them up in order. */
import type { Output } from '../output.ts';
import { chromiumPart } from './chromium.ts';
import { dockerPart, useEngine } from './docker.ts';
import { engineSocket } from './engine.ts';
import { imagePart } from './image.ts';
import { natsPart } from './nats.ts';
import { pagePart } from './page.ts';
import type { Part } from './part.ts';
import { postgresPart } from './postgres.ts';
import { pythonAvroPart } from './python-avro.ts';

export const parts: readonly Part[] = [
  natsPart,
  postgresPart,
  pagePart,
  dockerPart,
  imagePart,
  chromiumPart,
  pythonAvroPart,
];

export interface Machine extends AsyncDisposable {
  /** Path of the nats-server program. */
  readonly nats: string;
  /** Socket of the Docker engine and tag of the image; null when asked to do without. */
  readonly sandbox: { readonly socket: string; readonly image: string } | null;
}

/**
 * Finds or gets everything a stack needs. Dispose stops the Docker engine if Loom started it and nobody uses it.
 * @throws Failure 3 for the first part that cannot be had
 */
export async function bringUp(
  out: Output,
  options: { readonly sandbox: boolean; readonly browser?: boolean; readonly avro?: boolean },
): Promise<Machine> {
  await postgresPart.bring(out);
  const nats = (await natsPart.bring(out)).where;
  await pagePart.bring(out);
  if (options.browser) await chromiumPart.bring(out);
  if (options.avro) await pythonAvroPart.bring(out);
  if (!options.sandbox) return { nats, sandbox: null, [Symbol.asyncDispose]: async () => undefined };
  await dockerPart.bring(out);
  const release = await useEngine();
  try {
    const image = (await imagePart.bring(out)).where;
    return { nats, sandbox: { socket: engineSocket(), image }, [Symbol.asyncDispose]: release };
  } catch (cause) {
    await release();
    throw cause;
  }
}
