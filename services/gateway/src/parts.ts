import type { Blobs } from '@loom/blobs';
import type { JobCache } from '@loom/job';
import type { Log } from '@loom/log';
import type { Logger } from '@loom/service';
import type { Vault } from '@loom/vault';
import type { Gate } from './identity/authenticate.ts';
import type { SignIn } from './identity/sign-in.ts';
import type { Hints } from './hints.ts';
import type { JobRows } from './views/jobs.ts';
import type { UsageRows } from './views/usage.ts';

/** What the routes work with; main.ts makes each once. */
export interface Parts {
  readonly log: Log;
  readonly vault: Vault;
  readonly blobs: Blobs;
  readonly jobs: JobCache;
  readonly rows: JobRows;
  readonly usage: UsageRows;
  readonly hints: Hints;
  readonly gate: Gate;
  readonly signIn: SignIn;
  readonly logger: Logger;
  /** Aborted when the gateway drains: open streams end, their clients resume elsewhere. */
  readonly draining: AbortSignal;
}
