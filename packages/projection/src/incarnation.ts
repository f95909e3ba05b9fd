import { LoomError } from '@loom/service';
import type { Log } from '@loom/log';

interface StreamInfo {
  readonly created?: string;
  readonly config?: { readonly metadata?: Readonly<Record<string, string>> };
}

/**
 * Which life of an event stream its sequences belong to: what a restore wrote into the stream's metadata, else when the stream was made.
 * @throws LoomError `log_unavailable`
 */
export async function incarnationOf(log: Pick<Log, 'connection'>, stream: string): Promise<string> {
  const reply = await log.connection
    .request(`$JS.API.STREAM.INFO.${stream}`, '', { timeout: 5_000 })
    .catch((cause: unknown) => Promise.reject(new LoomError('log_unavailable', undefined, { cause })));
  const info = reply.json<StreamInfo>();
  const named = info.config?.metadata?.['loom.incarnation'] ?? info.created;
  if (named === undefined) throw new LoomError('log_unavailable', `no information about stream ${stream}`);
  return named;
}
