/** what clients see of rolling deploys, and of event streams that are cut. */
import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { readRaw } from '@loom/log';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { submit, unended } from '../../src/load.ts';
import { startRig, tenant, type Rig } from '../../src/rig.ts';
import { check, openLog, rowsAgree, wordsOf } from '../../src/verdict.ts';
import { seed, times } from '../count.ts';

const test = suite<{ rig: Rig }>('doors');

test.before(async (context) => {
  context.rig = await startRig({ seed, env: { LOOM_SANDBOX_WIDTH: '2' } });
});
test.after(async ({ rig }) => rig[Symbol.asyncDispose]());

/** Jobs come and are looked at until the signal aborts. */
async function clients(rig: Rig, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    const id = await submit(rig, 1, rig.random.chance(0.3));
    for (let looks = 0; looks < 6 && !signal.aborted; looks += 1) {
      await rig.door.call('GET', `/v1/jobs/${id}`);
      await sleep(100);
    }
  }
}

test('a rolling deploy of every service under load is no error to clients, and each drains in time', async ({
  rig,
}) => {
  const over = new AbortController();
  const busy = clients(rig, over.signal);
  const drains: number[] = [];
  for (let round = 0; round < times(1, 10); round += 1)
    for (const name of rig.faults.replicas) drains.push(await rig.faults.deploy(name));
  over.abort();
  await busy;
  console.log(
    `deploys: ${drains.length}; longest drain: ${Math.max(...drains)} ms; asked again: ${rig.door.repeats()}`,
  );
  assert.ok(drains.length >= 5);
  assert.ok(drains.every((ms) => ms < 30_000));
  assert.equal(rig.door.refused, []);
  assert.equal(rig.door.broken, []);
  assert.equal(await unended(rig, rig.jobs, 60), []);
});

/** Reads a stream until so many bytes have come, then cuts it; the ids of the facts that came whole. */
async function part(rig: Rig, url: string, last: number, bytes: number): Promise<readonly number[]> {
  const cut = new AbortController();
  const headers = { authorization: `Bearer ${await rig.stack.token({ tenant })}`, 'last-event-id': String(last) };
  let text = '';
  try {
    const response = await fetch(url, { headers: { ...headers, accept: 'text/event-stream' }, signal: cut.signal });
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
async function sequences(rig: Rig): Promise<ReadonlyMap<string, readonly number[]>> {
  await using log = await openLog(rig);
  const seqs = new Map<string, number[]>();
  for (const stream of log.streams)
    for await (const { subject, seq } of readRaw(log, stream)) {
      const job = subject.split('.')[4] ?? '';
      seqs.set(job, [...(seqs.get(job) ?? []), seq]);
    }
  return seqs;
}

test('streams cut at any byte and resumed at any gateway join without gap or repeat', async ({ rig }) => {
  const cuts = times(20, 300);
  const seqs = await sequences(rig);
  let made = 0;
  for (const job of rig.jobs) {
    const want = seqs.get(job) ?? [];
    const seen: number[] = [];
    while (seen.length < want.length && made < cuts) {
      const url = `${rig.random.pick(rig.stack.urls)}/v1/jobs/${job}/events`;
      seen.push(...(await part(rig, url, seen.at(-1) ?? 0, 200 + rig.random.below(20_000))));
      made += 1;
    }
    assert.equal(seen, want.slice(0, seen.length), job);
    if (made >= cuts) break;
  }
  console.log(`cuts: ${made}`);
  assert.ok(made >= cuts);
});

/** Resident memory of a process, MB. */
async function residentMb(pid: number): Promise<number> {
  return Number(/VmRSS:\s+(\d+)/.exec(await readFile(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) / 1024;
}

test('a thousand idle streams fit into a gateway', async ({ rig }) => {
  const [url = ''] = rig.stack.urls;
  const idle = await submit(rig, 1, false, 1);
  const pid = rig.stack.state().pids['gateway'] ?? 0;
  const before = await residentMb(pid);
  const leave = new AbortController();
  const tokens = await Promise.all(
    Array.from({ length: 50 }, (_, at) => rig.stack.token({ tenant, person: `watcher${at}` })),
  );
  const watch = (token: string): Promise<Response> =>
    fetch(`${url}/v1/jobs/${idle}/events`, {
      headers: { authorization: `Bearer ${token}`, accept: 'text/event-stream' },
      signal: leave.signal,
    });
  const open = await Promise.all(tokens.flatMap((token) => Array.from({ length: 20 }, () => watch(token))));
  const after = await residentMb(pid);
  console.log(`1000 streams: ${Math.round(after - before)} MB`);
  assert.ok(open.every(({ status }) => status === 200));
  assert.ok(after - before < 200, `${after - before} MB`);
  assert.is((await rig.door.call('GET', `/v1/jobs/${idle}`)).status, 200, 'others are served beside them');
  leave.abort();
  assert.equal(await unended(rig, [idle], 60), []);
});

test('everything adds up after the deploys', async ({ rig }) => {
  assert.equal(await rowsAgree(rig), []);
  assert.equal(wordsOf(await check(rig)), []);
});

test.run();
