/** A whole Loom with a scripted model behind one door, and a person at the page. */
import { clientOf, stack, type Client, type Stack } from '@loom/test';
import { anthropicEmulator } from '../emulators/anthropic.ts';
import type { Script } from '../emulators/script.ts';
import { browser, type Browser } from './browser.ts';
import { door, type Door } from './door.ts';

export interface Place extends AsyncDisposable {
  readonly system: Stack;
  readonly client: Client;
  readonly door: Door;
  readonly browser: Browser;
  /** The link that `./loom up` prints, through the door. */
  readonly link: string;
}

interface Page {
  readonly items: readonly { readonly seq: number }[];
  readonly next_cursor: string | null;
}

/** Sequences of all facts of a job, page by page. */
export async function sequencesOf({ gateway }: Client, job: string): Promise<readonly number[]> {
  const seqs: number[] = [];
  for (let cursor: string | null = '0'; cursor !== null;) {
    const page: Page = await gateway.json('GET', `/v1/jobs/${job}/events?limit=100&cursor=${cursor}`);
    seqs.push(...page.items.map(({ seq }) => seq));
    cursor = page.next_cursor;
  }
  return seqs;
}

type Options = NonNullable<Parameters<typeof stack>[0]>;

export async function place(script: Script, options: Options = {}): Promise<Place> {
  await using opening = new AsyncDisposableStack();
  const model = opening.use(await anthropicEmulator({ script }));
  const env = { ANTHROPIC_BASE_URL: model.url, ANTHROPIC_API_KEY: 'test', ...options.env };
  const system = opening.use(await stack({ ...options, env }));
  const entrance = opening.use(await door(system.urls));
  const person = opening.use(await browser({ origin: entrance.origin }));
  const link = `${entrance.origin}/#token=${await system.token()}`;
  const owned = opening.move();
  return {
    system,
    client: clientOf(system),
    door: entrance,
    browser: person,
    link,
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}
