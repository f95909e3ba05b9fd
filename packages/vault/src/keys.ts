import { type KeyName, type Sealer, emptyOpened } from '@loom/schemas';
import { LoomError } from '@loom/service';
import { type KeyObject, createHmac } from 'node:crypto';
import { derive, keyFrom, seal, unseal } from './aead.ts';
import type { Keys, SealScope } from './types.ts';

/** What a sealer finds under a name; null is a person whose key was destroyed. */
type Lookup = (name: KeyName) => KeyObject | null;

const version = 1;
const kinds: readonly KeyName[] = ['content', 'call', 'tenant', 'person'];
const prefixes = kinds.map((_, kind) => Buffer.from([version, kind]));
const bound = prefixes.map((prefix) => `${prefix.toString('hex')}/`);

/**
 * Sealed bytes: version 1, key kind (0 content, 1 call, 2 tenant, 3 person), then `aead.ts`. Version and kind are
 * bound as additional data. The personal fields of a destroyed person open as ''.
 */
function sealerOf(lookup: Lookup, kindOf: (name: KeyName) => KeyName): Sealer {
  return {
    seal: (name, context, plain) => {
      const key = lookup(kindOf(name));
      if (key === null) throw new LoomError('key_destroyed');
      const kind = kinds.indexOf(kindOf(name));
      return Buffer.concat([prefixes[kind]!, seal(key, bound[kind]! + context, plain)]);
    },
    open: (name, context, sealed) => {
      const kind = kinds.indexOf(kindOf(name));
      if (sealed[0] !== version || sealed[1] !== kind) throw new LoomError('bad_seal');
      const key = lookup(kindOf(name));
      return key === null ? emptyOpened : unseal(key, bound[kind]! + context, sealed.subarray(2));
    },
  };
}

/** In the sandbox's facts what else hangs on the content key hangs on the key of the call. */
const kindFor = (source: string) => (name: KeyName) => (name === 'content' && source === 'sandbox' ? 'call' : name);

/** Subkeys by purpose, each derived once. */
function subkeys(key: KeyObject): (info: string) => KeyObject {
  const derived = new Map<string, KeyObject>();
  return (info) => {
    const known = derived.get(info) ?? keyFrom(derive(key, info));
    derived.set(info, known);
    return known;
  };
}

const hmacInfo = (purpose: string): string => `loom/hmac/${purpose}`;

const hmacOf =
  (subkey: (info: string) => KeyObject): Keys['hmac'] =>
  (purpose, data) =>
    createHmac('sha256', subkey(hmacInfo(purpose)))
      .update(data)
      .digest();

/** The keys of a stream. `person` answers undefined for a person that was not loaded. */
export function streamKeys(
  content: KeyObject,
  tenant: KeyObject,
  person: (person: string) => KeyObject | null | undefined,
): Keys {
  const callKey = (key: string): Buffer => derive(content, `loom/call/${key}`);
  const lookup = (scope: SealScope) => {
    let call: KeyObject | undefined;
    return (name: KeyName): KeyObject | null => {
      if (name === 'content') return content;
      if (name === 'tenant') return tenant;
      return name === 'call' ? (call ??= keyFrom(callKey(scope.key))) : personKey(scope, person);
    };
  };
  return {
    sealer: (scope) => sealerOf(lookup(scope), kindFor(scope.source)),
    hmac: hmacOf(subkeys(content)),
    hmacKey: (purpose) => derive(content, hmacInfo(purpose)),
    callKey,
  };
}

function personKey(scope: SealScope, person: (person: string) => KeyObject | null | undefined): KeyObject | null {
  const key = scope.person === undefined ? undefined : person(scope.person);
  if (key === undefined) throw new LoomError('internal', 'a personal field whose person was not loaded');
  return key;
}

/** Keys of who holds the key of one call and nothing else (the sandbox). Every other key fails as `bad_seal`. */
export function callSealer(callKey: Uint8Array, scope: Pick<SealScope, 'key'>): Keys {
  const key = keyFrom(Buffer.from(callKey));
  const own = (asked: string): KeyObject => {
    if (asked !== scope.key) throw new LoomError('bad_seal', 'the key of another call');
    return key;
  };
  const lookup = (asked: string) => (name: KeyName) => {
    if (name !== 'call') throw new LoomError('bad_seal', `a call key opens no ${name} field`);
    return own(asked);
  };
  return {
    sealer: (asked) => sealerOf(lookup(asked.key), kindFor(asked.source)),
    hmac: hmacOf(subkeys(key)),
    hmacKey: (purpose) => derive(key, hmacInfo(purpose)),
    callKey: (asked) => own(asked).export(),
  };
}
