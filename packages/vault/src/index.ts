export type { Keys, SealScope, Vault } from './types.ts';
export { callSealer } from './keys.ts';
export { type PoolKeys, generatePoolKeys, openCallKey, sealCallKey } from './call-key.ts';
export { ensureRootKeyFile } from './root-key.ts';
export { type Envelopes, type VaultOptions, copyKeys, openVault, vaultOfCopy } from './vault.ts';
