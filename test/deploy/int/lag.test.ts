/** Consumer lag as a scrape shows it, on a real server: what waits, for how long, and what is said when nobody answers. */
import { setTimeout as sleep } from 'node:timers/promises';
import { connectLog, natsUsers, setUpLog } from '@loom/log';
import type { Log } from '@loom/log';
import { measureLog, serve } from '@loom/service';
import type { Running } from '@loom/service';
import { freeze, natsServer } from '@loom/test';
import type { NatsServer } from '@loom/test';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';

interface Context {
  server: NatsServer;
  log: Log;
  health: Running;
  end: () => void;
}
const test = suite<Context>('lag');

test.before(async (context) => {
  context.server = await natsServer({ users: natsUsers({ gateway: 'g', setup: 's' }, 1) });
  const { url: servers } = context.server;
  await setUpLog({ servers, user: 'setup', password: 's', streams: 1 });
  context.log = await connectLog({ servers, user: 'gateway', password: 'g', source: 'gateway', streams: 1 });
  context.end = measureLog('gateway', context.log);
  context.health = await serve({ name: 'gateway', port: 0, ready: async () => ({}) });
});
test.after(async ({ server, log, health }) => {
  await health.stop();
  await log[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
});

/** A figure of the one durable; undefined when it is not shown. */
async function figure({ health }: Context, name: string): Promise<number | undefined> {
  const text = await (await fetch(`http://127.0.0.1:${health.port}/metrics`)).text();
  const value = new RegExp(`^loom_consumer_${name}\\{.*"LOOM_EVENTS_0_0".*"gateway"\\} (\\S+)$`, 'm').exec(text)?.[1];
  return value === undefined ? undefined : Number(value);
}

/** Until a figure has a value. @throws after 20 s */
async function shows(context: Context, name: string, value: number): Promise<void> {
  for (const end = Date.now() + 20_000; (await figure(context, name)) !== value;) assert.ok(Date.now() < end, name);
}

/** The next value of a figure: while nobody answers it is not shown. @throws after 20 s */
async function told(context: Context, name: string): Promise<number> {
  for (const end = Date.now() + 20_000; ;) {
    const value = await figure(context, name);
    if (value !== undefined) return value;
    assert.ok(Date.now() < end, name);
  }
}

const patient = { timeout: 10_000 };

test('an idle durable has no lag and does not stand still', async (context) => {
  await shows(context, 'answers', 1);
  await shows(context, 'pending', 0);
  await shows(context, 'stalled_seconds', 0);
});

test('what is not handed out, then not acknowledged, counts as waiting; the time goes on until the oldest is', async (context) => {
  const { connection } = context.log;
  await connection.request('loom.0.0.tx.job_0x.gateway.thing.done.1', 'a fact', patient);
  await shows(context, 'pending', 1);
  const inbox = connection.subscribe('_INBOX_gateway.taken', { max: 1 });
  connection.publish('$JS.API.CONSUMER.MSG.NEXT.LOOM_EVENTS_0_0.gateway', '1', { reply: '_INBOX_gateway.taken' });
  const taken = await inbox[Symbol.asyncIterator]().next();
  await shows(context, 'unacked', 1);
  await shows(context, 'pending', 0);
  await sleep(1_100);
  assert.ok((await told(context, 'stalled_seconds')) > 1);
  connection.publish(taken.value?.reply ?? '', '+ACK');
  await shows(context, 'unacked', 0);
  await shows(context, 'stalled_seconds', 0);
});

test('when nobody answers that is said, and no figure is made up', async (context) => {
  try {
    await freeze(context.server.pid);
    assert.equal([await figure(context, 'answers'), await figure(context, 'pending')], [0, undefined]);
  } finally {
    process.kill(context.server.pid, 'SIGCONT');
  }
  await shows(context, 'answers', 1);
});

test('what has ended is not shown any more', async (context) => {
  context.end();
  assert.is(await figure(context, 'answers'), undefined);
});

test.run();
