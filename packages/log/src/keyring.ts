/** Which keys a process has: those of a vault, those of single calls, or none. */
import type { FactType, Wire } from '@loom/schemas';
import { LoomError } from '@loom/service';
import type { Keys, Vault } from '@loom/vault';
import type { CallKeys } from './port.ts';
import { contextOf } from './subjects.ts';
import type { Address } from './types.ts';

/** Where keys are needed for. */
interface Place {
  readonly at: Address;
  readonly type: FactType;
  readonly key: string;
}

export interface Keyring {
  /** @throws LoomError `key_destroyed`, `bad_seal` */
  reading(place: Place, wire: Wire): Promise<Keys>;
  /** @throws LoomError `key_destroyed` */
  writing(place: Place): Promise<Keys>;
  /** What `reading` would answer, where it and the person's key are in hand; null: ask. */
  held(at: Address, person: string | undefined): Keys | null;
  /** The keys of a job or account, whatever is sealed. @throws LoomError `key_destroyed`, `bad_seal` */
  ofStream(at: Address): Promise<Keys>;
  /** Makes a person's key available before their fields are sealed or opened. */
  person(person: string | undefined): Promise<void>;
  /** The call key of a run, sealed for the sandbox. */
  callKey(keys: Keys, place: Place): Promise<Buffer>;
}

export const noKeys: Keyring = {
  reading: () => Promise.reject(noKey()),
  writing: () => Promise.reject(noKey()),
  held: () => null,
  ofStream: () => Promise.reject(noKey()),
  person: () => Promise.resolve(),
  callKey: () => Promise.reject(noKey()),
};

const noKey = (): LoomError => new LoomError('bad_seal', 'this process holds no key for this content');

export function vaultKeys(vault: Vault): Keyring {
  const ofStream = ({ tenant, stream }: Address): Promise<Keys> => vault.open(tenant, stream);
  const open = ({ at }: Place): Promise<Keys> => ofStream(at);
  return {
    reading: open,
    writing: open,
    held: ({ tenant, stream }, person) => vault.held(tenant, stream, person === '' ? undefined : person),
    ofStream,
    async person(person) {
      if (person !== undefined && person !== '') await vault.person(person);
    },
    callKey: (keys, { at, type, key }) => vault.sealCallKey(keys.callKey(key), contextOf(at, type, key)),
  };
}

const remembered = 256;

/** Call keys come with `run.requested`; the last 256 are kept for the outcomes that are sealed under them. */
export function callKeyring(callKeys: CallKeys): Keyring {
  const known = new Map<string, Keys>();
  const name = ({ at, key }: Place): string => `${at.tenant}/${at.stream}/${key}`;
  return {
    async reading(place, wire) {
      const have = known.get(name(place));
      if (have !== undefined) return have;
      const sealed = wire['call_key'];
      if (!(sealed instanceof Uint8Array)) throw noKey();
      const keys = await callKeys(sealed, contextOf(place.at, place.type, place.key), place.key);
      known.set(name(place), keys);
      const oldest = known.keys().next().value;
      if (known.size > remembered && oldest !== undefined) known.delete(oldest);
      return keys;
    },
    writing: (place) => {
      const keys = known.get(name(place));
      return keys === undefined ? Promise.reject(noKey()) : Promise.resolve(keys);
    },
    held: () => null,
    ofStream: () => Promise.reject(noKey()),
    person: () => Promise.resolve(),
    callKey: () => Promise.reject(noKey()),
  };
}
