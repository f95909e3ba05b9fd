export interface SetUpOptions {
  readonly servers: string;
  readonly user: string;
  readonly password: string;
  /** S; default 4. */
  readonly streams?: number;
  /** R; default 1. */
  readonly replicas?: number;
  /** Until an unacked message is delivered again, ms; default 60,000. Tests shorten it. */
  readonly ackWait?: number;
}

/** Makes or checks everything that the services need of NATS. Idempotent. @throws LoomError `server_too_old`, `setting_not_echoed` */
export async function setUpLog(options: SetUpOptions): Promise<void> {
  throw new Error(`being written: ${options.servers}`);
}
