import type { Log } from '@loom/log';
import type { Vault } from '@loom/vault';

export interface ShredParts {
  readonly vault: Pick<Vault, 'destroy'>;
  readonly log: Pick<Log, 'append' | 'snapshots'>;
}

/**
 * Destroys the content key of a job, and with it all that the key sealed, in whatever store or backup it lies; then records it. Key first, fact second: may be repeated.
 * Its snapshot cannot be opened any more, and goes. Its artifacts stay: their data keys are wrapped by the tenant's key.
 */
export async function shredJob(parts: ShredParts, tenant: string, job: string): Promise<void> {
  await parts.vault.destroy({ tenant, job });
  await parts.log.snapshots.drop({ tenant, stream: job });
  await parts.log.append({ tenant, stream: job }, { type: 'content.shredded', key: '0', body: { job } });
}
