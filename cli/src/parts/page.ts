/** The page that the gateway serves, built from its sources by Vite once for each state of them. */
import { bringBundle, findBundle } from '@loom/gateway/page';
import { basename } from 'node:path';
import { messageOf, missing } from '../failure.ts';
import type { Output } from '../output.ts';
import type { Found, Part } from './part.ts';

const how = ['delete node_modules and run ./loom again: npm brings Vite, which builds the page'];

async function find(): Promise<Found | null> {
  const where = await findBundle();
  return where === null ? null : { version: basename(where), where };
}

async function bring(out: Output): Promise<Found> {
  const there = await find();
  if (there !== null) return there;
  const progress = out.task('page');
  try {
    const where = await bringBundle();
    progress.done(`built into ${where}`);
    return { version: basename(where), where };
  } catch (cause) {
    progress.failed();
    throw missing(messageOf(cause), ...how);
  }
}

export const pagePart: Part = { name: 'page', find, bring, how };
