/**
 * Owns the keys of tenants, jobs and persons while they are in use. Does not own what they seal.
 *
 * 1. A job's content key is wrapped by its tenant's key, tenants' and persons' keys by the root.
 * 2. The context of a key (whose it is) is bound when it is wrapped: a wrapped key moved to another name does not unwrap.
 * 3. A key is held here 5 minutes at most; after that the bucket is asked again, and a tombstone is obeyed.
 */
import { LoomError } from '@loom/service';
import type { NatsConnection } from '@nats-io/nats-core';
import { type KeyObject, randomBytes } from 'node:crypto';
import { derive, keyFrom, seal, unseal } from './aead.ts';
import { type Envelope, type KeyStore, keyBucket } from './bucket.ts';
import { cache } from './cache.ts';
import { sealCallKey } from './call-key.ts';
import { streamKeys } from './keys.ts';
import { type KeyContext, type RootKey, contextText, fileRootKey, rootKeyOf } from './root-key.ts';
import type { Keys, Vault } from './types.ts';

export interface VaultOptions {
  readonly connection: NatsConnection;
  /** A file made by `ensureRootKeyFile`. */
  readonly rootKeyFile: string;
  /** Base64; only who requests runs needs it. */
  readonly poolPublicKey?: string;
}

/** @throws LoomError `root_key_unreadable` */
export async function openVault(options: VaultOptions): Promise<Vault> {
  const root = await fileRootKey(options.rootKeyFile);
  return vaultOf(root, await keyBucket(options.connection), options.poolPublicKey);
}

/** Wrapped keys by their names, as they lay in a bucket. */
export type Envelopes = Readonly<Record<string, Envelope>>;

/** The wrapped keys of a job and its tenant, for a copy of its facts that is kept elsewhere. @throws LoomError `key_destroyed`, `log_unavailable` */
export async function copyKeys(
  connection: NatsConnection,
  owner: { readonly tenant: string; readonly job: string },
): Promise<Envelopes> {
  const bucket = await keyBucket(connection);
  const names = [nameOf({ tenant: owner.tenant }), nameOf(owner)];
  return Object.fromEntries(await Promise.all(names.map(async (name) => [name, await bucket.ensure(name, absent)])));
}

/** A vault over such a copy: it makes no key, and what is not in the copy is as good as destroyed (persons' keys, say). Takes the bytes of the root key over. */
export function vaultOfCopy(rootKey: Uint8Array, envelopes: Envelopes): Vault {
  const kept = (name: string): Promise<Envelope> => {
    const found = envelopes[name];
    return found === undefined ? absent() : Promise.resolve(found);
  };
  return vaultOf(rootKeyOf(rootKey), { ensure: kept, destroy: absent }, undefined);
}

const absent = (): Promise<never> =>
  Promise.reject(new LoomError('key_destroyed', 'the key is not among the copied ones'));

function vaultOf(root: RootKey, bucket: KeyStore, poolPublicKey: string | undefined): Vault {
  const wrapped = rootWrapped(root, bucket);
  const tenants = cache((tenant: string) => wrapped(nameOf({ tenant }), { tenant }));
  const contents = cache(async (name: string, tenant: string, job: string) =>
    tenantWrapped(bucket, name, await tenants.get(tenant), { tenant, job }),
  );
  const persons = cache((person: string) => wrapped(nameOf({ person }), { person }).catch(nullIfDestroyed));
  const contentKey = (tenant: string, stream: string) =>
    isJob(stream) ? contents.get(nameOf({ tenant, job: stream }), tenant, stream) : tenants.get(tenant);

  /** Made once for a content key, so that what is derived from it is derived once. */
  const made = new WeakMap<KeyObject, Keys>();
  const keysOf = (content: KeyObject, own: KeyObject): Keys => {
    const keys = made.get(content) ?? streamKeys(content, own, (person) => persons.peek(person));
    made.set(content, keys);
    return keys;
  };

  return {
    open: async (tenant, stream) => {
      const [own, content] = await Promise.all([tenants.get(tenant), contentKey(tenant, stream)]);
      return keysOf(content, own);
    },
    held: (tenant, stream, person) => {
      const own = tenants.fresh(tenant);
      const content = isJob(stream) ? contents.fresh(nameOf({ tenant, job: stream })) : own;
      const lacking = person !== undefined && persons.fresh(person) === undefined;
      return own === undefined || content === undefined || lacking ? null : keysOf(content, own);
    },
    person: async (person) => (await persons.get(person)) !== null,
    destroy: async (what) => {
      await bucket.destroy(nameOf(what));
      for (const keys of [tenants, contents, persons]) keys.clear();
    },
    sealCallKey: (callKey, context) => {
      if (poolPublicKey === undefined)
        throw new LoomError('config_invalid', 'no public key of the sandbox pool is set');
      return sealCallKey(poolPublicKey, callKey, context);
    },
  };
}

/** `account` and `system` have no content key of their own: the tenant's does. */
const isJob = (stream: string): boolean => stream !== 'account' && stream !== 'system';

type Owner =
  | { readonly tenant: string; readonly job: string }
  | { readonly tenant: string }
  | { readonly person: string };

/** Name in the bucket. Ids of persons are the identity provider's: encoded, they cannot break out of their token. */
function nameOf(owner: Owner): string {
  if ('person' in owner) return `person.${Buffer.from(owner.person).toString('base64url')}`;
  return 'job' in owner ? `content.${owner.tenant}.${owner.job}` : `tenant.${owner.tenant}`;
}

function rootWrapped(root: RootKey, bucket: KeyStore) {
  return async (name: string, context: KeyContext): Promise<KeyObject> => {
    const { wrapped } = await bucket.ensure(name, async () => {
      const made = await root.generate(context);
      made.plain.fill(0);
      return envelope(made.wrapped, context);
    });
    return keyFrom(await root.unwrap(Buffer.from(wrapped, 'base64'), context));
  };
}

async function tenantWrapped(
  bucket: KeyStore,
  name: string,
  tenant: KeyObject,
  context: KeyContext,
): Promise<KeyObject> {
  const wrapping = keyFrom(derive(tenant, 'loom/wrap'));
  const { wrapped } = await bucket.ensure(name, async () => {
    const plain = randomBytes(32);
    const made = envelope(seal(wrapping, contextText(context), plain), context);
    plain.fill(0);
    return made;
  });
  return keyFrom(unseal(wrapping, contextText(context), Buffer.from(wrapped, 'base64')));
}

const envelope = (wrapped: Buffer, context: KeyContext): Envelope => ({
  v: 1,
  wrapped: wrapped.toString('base64'),
  context,
});

function nullIfDestroyed(cause: unknown): null {
  if (cause instanceof LoomError && cause.code === 'key_destroyed') return null;
  throw cause;
}
