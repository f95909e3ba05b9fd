/**
 * Owns the KV bucket `loom_keys`: wrapped keys and the tombstones of destroyed ones. Knows no key in the clear.
 *
 * 1. A name is written once: by create. Who loses the race reads the winner's.
 * 2. Erasing overwrites the stored message, then leaves a tombstone: the name never gets a key again.
 * 3. Reads need no consumer: direct get by subject.
 */
import { LoomError } from '@loom/service';
import {
  JetStreamApiError,
  type JetStreamClient,
  type JetStreamManager,
  jetstream,
  jetstreamManager,
} from '@nats-io/jetstream';
import { type NatsConnection, errors, headers } from '@nats-io/nats-core';
import { setTimeout as delay } from 'node:timers/promises';
import type { KeyContext } from './root-key.ts';

/** A stored key as JSON; `wrapped` is base64. */
export interface Envelope {
  readonly v: 1;
  readonly wrapped: string;
  readonly context: KeyContext;
}

/** Where wrapped keys lie. */
export interface KeyStore {
  ensure(name: string, make: () => Promise<Envelope>): Promise<Envelope>;
  destroy(name: string): Promise<void>;
}

interface Tombstone {
  readonly destroyed: true;
}

const stream = 'KV_loom_keys';
const subjectOf = (name: string): string => `$KV.loom_keys.${name}`;
/** How long a create is tried whose outcome is unknown, or whose winner a replica does not show yet; ms. */
const patience = 20_000;
/** Attempts at reading before who may not create gives up: about a second. */
const readOnlyTries = 20;

export async function keyBucket(connection: NatsConnection): Promise<KeyBucket> {
  return new KeyBucket(await jetstreamManager(connection, { checkAPI: false }), jetstream(connection));
}

class KeyBucket implements KeyStore {
  readonly #manager: JetStreamManager;
  readonly #js: JetStreamClient;

  constructor(manager: JetStreamManager, js: JetStreamClient) {
    this.#manager = manager;
    this.#js = js;
  }

  /**
   * The envelope under the name, made by `make` when there is none. Who may only read waits a second for it: a replica
   * may not show yet what another acknowledged. @throws LoomError `key_destroyed`, `log_unavailable`
   */
  async ensure(name: string, make: () => Promise<Envelope>): Promise<Envelope> {
    let made: Envelope | undefined;
    let denied: LoomError | null = null;
    for await (const attempt of attempts()) {
      const found = (await this.#read(name))?.value;
      if (found !== undefined) return alive(found);
      if (denied !== null && attempt >= readOnlyTries) throw denied;
      if (denied !== null) continue;
      made ??= await make();
      const created = await this.#create(name, made);
      if (created === true) return made;
      if (created !== false) denied = created;
    }
    throw unavailable();
  }

  /** Idempotent. Needs the right to delete messages of the bucket. @throws LoomError `log_unavailable` */
  async destroy(name: string): Promise<void> {
    for await (const _ of attempts()) {
      const found = await this.#read(name);
      if (found !== null && 'destroyed' in found.value) return;
      if (found !== null) await this.#erase(found.seq);
      const created = await this.#create(name, { destroyed: true });
      if (created === true) return;
      if (created !== false) throw created;
    }
    throw unavailable();
  }

  async #read(name: string): Promise<{ seq: number; value: Envelope | Tombstone } | null> {
    const query = { last_by_subj: subjectOf(name) };
    const message = await this.#manager.direct.getMessage(stream, query).catch((cause: unknown) => {
      throw failure(cause);
    });
    return message === null ? null : { seq: message.seq, value: message.json<Envelope | Tombstone>() };
  }

  /** Overwrites the stored bytes; that it is gone already is no failure. */
  async #erase(seq: number): Promise<void> {
    await this.#manager.streams.deleteMessage(stream, seq, true).catch((cause: unknown) => {
      if (!(cause instanceof JetStreamApiError && cause.code === notStored)) throw failure(cause);
    });
  }

  /** False when the name is taken, or when nobody knows; an error where this user may not. */
  async #create(name: string, value: Envelope | Tombstone): Promise<boolean | LoomError> {
    const unique = headers();
    unique.set('Nats-Expected-Last-Subject-Sequence', '0');
    try {
      await this.#js.publish(subjectOf(name), JSON.stringify(value), { headers: unique });
      return true;
    } catch (cause) {
      if (isDenied(cause))
        return new LoomError('log_unavailable', 'the key is not there, and this user may not make it', { cause });
      if (cause instanceof JetStreamApiError && !raced.has(cause.code)) throw failure(cause);
      return false;
    }
  }
}

/** Codes of the server: the sequence to be erased is not stored; the name is taken; another create is in flight. */
const notStored = 10043;
const raced = new Set([10071, 10164]);

const unavailable = (cause?: unknown) => new LoomError('log_unavailable', 'the key bucket does not answer', { cause });

/** The reason may come wrapped. */
const isDenied = (cause: unknown): boolean =>
  cause instanceof errors.PermissionViolationError || (cause instanceof Error && isDenied(cause.cause));

const failure = (cause: unknown): LoomError =>
  isDenied(cause) ? new LoomError('forbidden', 'this user may not do that to keys', { cause }) : unavailable(cause);

/** Goes on, with growing waits between, until patience ends. */
async function* attempts(): AsyncGenerator<number> {
  const end = performance.now() + patience;
  for (let attempt = 0; performance.now() < end; attempt++) {
    yield attempt;
    await delay(Math.min(5 * attempt, 500));
  }
}

function alive(value: Envelope | Tombstone): Envelope {
  if ('destroyed' in value) throw new LoomError('key_destroyed');
  return value;
}
