import type { Log, LogOptions } from './port.ts';

/** @throws LoomError `server_too_old`, `setting_not_echoed`, `log_unavailable` */
export async function connectLog(options: LogOptions): Promise<Log> {
  throw new Error(`being written: ${options.servers}`);
}
