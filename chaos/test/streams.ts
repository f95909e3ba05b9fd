/** Event streams as a client has them, cut anywhere, and what the log has of them. */
import { readFile } from 'node:fs/promises';
import { readRaw } from '@loom/log';
import { openLog } from '../src/logs.ts';
import { tenant, type Rig } from '../src/rig.ts';

/** Reads a stream until so many bytes have come, then cuts it; the ids of the facts that came whole. @throws TimeoutError when that takes a minute */
export async function part(rig: Rig, url: string, last: number, bytes: number): Promise<readonly number[]> {
  const cut = new AbortController();
  const headers = { authorization: `Bearer ${await rig.stack.token({ tenant })}`, 'last-event-id': String(last) };
  let text = '';
  try {
    const signal = AbortSignal.any([cut.signal, AbortSignal.timeout(60_000)]);
    const response = await fetch(url, { headers: { ...headers, accept: 'text/event-stream' }, signal });
    const decoder = new TextDecoder();
    for await (const chunk of response.body ?? []) {
      text += decoder.decode(chunk as Uint8Array, { stream: true });
      if (text.length < bytes) continue;
      text = text.slice(0, bytes);
      break;
    }
  } finally {
    cut.abort();
  }
  const whole = text.slice(0, text.lastIndexOf('\n\n') + 2);
  return [...whole.matchAll(/^id: (\d+)$/gm)].map(([, id]) => Number(id));
}

/** Sequences of all facts by job, as the log has them. */
export async function sequences(rig: Rig): Promise<ReadonlyMap<string, readonly number[]>> {
  await using log = await openLog(rig);
  const seqs = new Map<string, number[]>();
  for (const stream of log.streams)
    for await (const { subject, seq } of readRaw(log, stream)) {
      const job = subject.split('.')[4] ?? '';
      seqs.set(job, [...(seqs.get(job) ?? []), seq]);
    }
  return seqs;
}

/** Resident memory of a process, MB. */
export async function residentMb(pid: number): Promise<number> {
  return Number(/VmRSS:\s+(\d+)/.exec(await readFile(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) / 1024;
}
