/** An analyst with credentials of its own, by a client that knows nothing of Loom. */
import { jetstream, type JsMsg } from '@nats-io/jetstream';
import { connect, type NatsConnection } from '@nats-io/transport-node';
import { setTimeout as sleep } from 'node:timers/promises';
import * as assert from 'uvu/assert';
import { schemas } from '@loom/schemas';
import { operatorLog } from '@loom/test';
import { lastSeqOf, readRaw } from '@loom/log';
import { done, loom, secret, type Test, type World } from './world.ts';

interface Credentials {
  readonly servers: string;
  readonly user: string;
  readonly password: string;
  readonly inbox: string;
  readonly durable: string;
  readonly streams: readonly string[];
}

const connected = ({ servers, user, password: pass, inbox: inboxPrefix }: Credentials): Promise<NatsConnection> =>
  connect({ servers, user, pass, inboxPrefix, reconnect: false });

async function added(world: World): Promise<Credentials> {
  const ran = await loom(world, ['consumers', 'add', 'bi', '--json']);
  assert.is(ran.exit, 0, ran.err);
  return ran.lines()[0] as unknown as Credentials;
}

/** Takes and acknowledges what waits on every stream. */
async function drained(connection: NatsConnection, { streams, durable }: Credentials): Promise<readonly JsMsg[]> {
  const taken: JsMsg[] = [];
  for (const stream of streams) {
    const consumer = await jetstream(connection).consumers.get(stream, durable);
    const waits = async (): Promise<number> => (await consumer.info()).num_pending;
    for (let waiting = await waits(); waiting > 0; waiting = await waits())
      for await (const message of await consumer.fetch({ max_messages: waiting, expires: 5000 })) {
        taken.push(message);
        await message.ackAck();
      }
  }
  return taken;
}

const nameOf = ({ info, seq }: JsMsg): string => `${info.stream} ${seq}`;

async function namesIn({ system }: World): Promise<string[]> {
  await using log = await operatorLog(system);
  const names: string[] = [];
  for (const stream of log.streams) for await (const { seq } of readRaw(log, stream)) names.push(`${stream} ${seq}`);
  return names;
}

async function readsTheStream(world: World): Promise<Credentials> {
  const credentials = await added(world);
  const connection = await connected(credentials);
  const taken = await drained(connection, credentials);
  assert.equal(taken.map(nameOf).toSorted(), (await namesIn(world)).toSorted());
  for (const message of taken) assert.not.match(Buffer.from(message.data).toString('latin1'), secret);
  const hex = message0(taken).headers?.get('ce-dataschema') ?? '';
  assert.ok(schemas.has(hex));
  const schema = await connection.request(`$JS.API.DIRECT.GET.KV_loom_schemas.$KV.loom_schemas.${hex}`);
  assert.equal(schema.json(), JSON.parse(JSON.stringify(schemas.get(hex)?.avsc)));
  await done(world.clients.acme, 'beta');
  const later = await drained(connection, credentials);
  assert.ok(later.length > 10 && later.every((message) => !taken.map(nameOf).includes(nameOf(message))));
  await connection.close();
  return credentials;
}

function message0([first]: readonly JsMsg[]): JsMsg {
  assert.ok(first);
  return first;
}

/** Nothing is changed by trying: the log is as long as it was. */
async function doesNothingElse(world: World, credentials: Credentials): Promise<void> {
  const connection = await connected(credentials);
  const [stream = ''] = credentials.streams;
  const before = await lengthOf(world, stream);
  const forbidden = [
    'loom.0.0.acme.job_0x.analyst.thing.done.0',
    `$JS.API.STREAM.PURGE.${stream}`,
    '$KV.loom_keys.tenant.acme',
  ];
  for (const subject of forbidden) {
    const refused = await connection.request(subject, '', { timeout: 20_000 }).then(
      () => 'answered',
      (failure: Error) => (failure.cause instanceof Error ? failure.cause : failure).message,
    );
    assert.match(refused, /[Pp]ermissions [Vv]iolation/, subject);
  }
  assert.is(await lengthOf(world, stream), before);
  await connection.close();
}

async function lengthOf({ system }: World, stream: string): Promise<number> {
  await using log = await operatorLog(system);
  return await lastSeqOf(log, stream);
}

async function isTakenAway(world: World, credentials: Credentials): Promise<void> {
  const connection = await connected(credentials);
  const closed = connection.closed();
  const listed = (await loom(world, ['consumers', 'ls', '--json'])).lines();
  assert.equal(listed, [{ user: 'analyst-bi', tenant: null, waiting: 0, unacknowledged: 0 }]);
  const { exit, err } = await loom(world, ['consumers', 'remove', 'bi']);
  assert.is(exit, 0, err);
  assert.ok(
    await Promise.race([closed.then(() => true), sleep(30_000, false, { ref: false })]),
    'the open connection is closed',
  );
  assert.match(String(await connected(credentials).catch((cause: unknown) => cause)), /[Aa]uthorization/);
  assert.equal((await loom(world, ['consumers', 'ls', '--json'])).lines(), []);
  assert.is((await loom(world, ['consumers', 'remove', 'bi'])).exit, 2);
}

export function consumerTests(test: Test): void {
  let credentials: Credentials;
  test('an analyst added to a running stack reads every fact once, sealed, and goes on with what comes', async ({
    world,
  }) => {
    credentials = await readsTheStream(world);
  });
  test('it may do nothing else', ({ world }) => doesNothingElse(world, credentials));
  test('services go on over the new list of users, and a removed analyst is cut off', async ({ world }) => {
    await isTakenAway(world, credentials);
    await done(world.clients.zeta, 'default');
  });
}
