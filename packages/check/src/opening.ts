/** The content of one job opened fact by fact, for as long as it can be, and shown to who makes things again of it. */
import type { Fact, ParsedFact } from '@loom/log';
import { LoomError } from '@loom/service';
import type { Entry, Known } from './domain/rule.ts';
import type { Broken } from './rederive.ts';

/** Opens a fact whose sum holds. */
export type Open = (fact: ParsedFact) => Fact | Promise<Fact>;

/** Is shown facts in order and tells the first that comes out otherwise. */
type Remake = (fact: Fact, entry: Known) => Broken | null | Promise<Broken | null>;

/** What a job's content was found to be: made again to the end, up to a fact that differs or does not open, or gone from a fact on. */
export type Found =
  | { readonly kind: 'whole' }
  | { readonly kind: 'differs' | 'shut'; readonly broken: Broken }
  | { readonly kind: 'gone'; readonly cause: LoomError };

/** Owns what was found at the first fact that ended it; nothing behind that is opened. */
export class Opening {
  readonly #open: Open;
  readonly #remake: Remake;
  #found: (() => Found) | null = null;

  constructor(open: Open, remake: Remake) {
    this.#open = open;
    this.#remake = remake;
  }

  async see(entry: Known): Promise<void> {
    if (this.#found !== null) return;
    try {
      const broken = await this.#remake(await this.#open(entry.fact), entry);
      if (broken !== null) this.#found = () => ({ kind: 'differs', broken });
    } catch (cause) {
      this.stop(entry, cause);
    }
  }

  /** For a fact that is not to be opened. */
  stop(at: Entry, cause: unknown): void {
    this.#found ??= () => foundBy(cause, at);
  }

  /** @throws the cause that ended it where it is none of the content's */
  end(): Found {
    return this.#found?.() ?? { kind: 'whole' };
  }
}

/** Nothing to say here: content whose key was destroyed, and facts that break `sum`, `headers` or `readable`. */
const passed: ReadonlySet<string> = new Set([
  'key_destroyed',
  'damaged',
  'wrong_tenant',
  'undecodable',
  'unknown_schema',
]);

/** The key is there and the content is not, or does not open under it. */
const shut: ReadonlySet<string> = new Set(['bad_seal', 'blob_damaged', 'blob_missing']);

/** What is wrong with content that does not open, or null when that is no fault of it. @throws the cause when it is none of the content's */
export function whyShut(cause: unknown): string | null {
  const { code, message } = LoomError.from(cause);
  if (passed.has(code)) return null;
  if (shut.has(code)) return `its content does not open: ${code}: ${message}`;
  throw cause;
}

function foundBy(cause: unknown, { seq, subject }: Entry): Found {
  const message = whyShut(cause);
  return message === null
    ? { kind: 'gone', cause: LoomError.from(cause) }
    : { kind: 'shut', broken: { seq, subject, message } };
}
