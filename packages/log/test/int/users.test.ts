import { connect } from '@nats-io/transport-node';
import type { NatsConnection } from '@nats-io/nats-core';
import { setImmediate as turn } from 'node:timers/promises';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { patient } from '@loom/test';
import { streamNames } from '../../src/index.ts';
import type { NatsUser } from '../../src/index.ts';
import { passwordOf, users, world } from '../world.ts';
import type { World } from '../world.ts';

interface Context {
  world: World;
  connections: Map<NatsUser, NatsConnection>;
}
const test = suite<Context>('users');

test.before(async (context) => {
  context.world = await world();
  context.connections = new Map();
  for (const user of users) {
    const options = { servers: context.world.url, user, pass: passwordOf(user), inboxPrefix: `_INBOX_${user}` };
    context.connections.set(user, await connect(options));
  }
});
test.after(async (context) => {
  for (const connection of context.connections.values()) await connection.close();
  await context.world[Symbol.asyncDispose]();
});

/** Whether the server lets the user publish there: its refusal comes before the answer to a ping. */
async function mayPublish(connection: NatsConnection, subject: string): Promise<boolean> {
  let refused = false;
  void connection.request(subject, 'x', patient).catch((failure: Error) => {
    const cause = failure.cause ?? failure;
    refused ||= cause instanceof Error && cause.name === 'PermissionViolationError';
  });
  await connection.flush();
  await turn();
  return !refused;
}

async function mayHear(connection: NatsConnection, subject: string): Promise<boolean> {
  let refused = false;
  const subscription = connection.subscribe(subject, { callback: (error) => void (refused ||= error !== null) });
  await connection.flush();
  subscription.unsubscribe();
  return !refused;
}

const sources = [
  'gateway',
  'orchestrator',
  'agent-runner',
  'sandbox',
  'timer',
  'billing',
  'evals',
  'audit',
  'retention',
  'operator',
];
const [stream = ''] = streamNames(1);
const services = users.filter((user) => user !== 'setup');
const analyst = 'analyst-bi';
const fact = (source: string): string => `loom.0.0.tx.job_0x.${source}`;

test('each may write under its own source alone, the orchestrator also as the timer', async ({ connections }) => {
  for (const user of users) {
    for (const source of sources) {
      const own = source === user || (user === 'orchestrator' && source === 'timer');
      assert.is(await mayPublish(connections.get(user)!, `${fact(source)}.thing.done.x`), own, `${user} as ${source}`);
    }
  }
});

test("the orchestrator may settle a worker's slot, and nothing else in its name", async ({ connections }) => {
  const orchestrator = connections.get('orchestrator')!;
  for (const slot of ['agent-runner.step.settled.x', 'agent-runner.tool.settled.x', 'sandbox.tool.settled.x'])
    assert.ok(await mayPublish(orchestrator, `loom.0.0.tx.job_0x.${slot}`), slot);
  for (const other of [
    'agent-runner.step.claimed.x',
    'agent-runner.model.called.x',
    'sandbox.tool.claimed.x',
    'sandbox.step.settled.x',
  ])
    assert.not.ok(await mayPublish(orchestrator, `loom.0.0.tx.job_0x.${other}`), other);
});

test('the set-up alone serves a span of the log again, and the operator alone hears it', async ({ connections }) => {
  for (const user of users) {
    const connection = connections.get(user)!;
    assert.is(await mayPublish(connection, 'replay.incident.0.loom.0.0.tx.job_0x'), user === 'setup', user);
    assert.is(await mayHear(connection, 'replay.incident.>'), user === 'operator', user);
  }
});

test('nobody but the set-up makes, changes or removes streams and consumers', async ({ connections }) => {
  const verbs = [
    'STREAM.CREATE',
    'STREAM.UPDATE',
    'STREAM.DELETE',
    'STREAM.SNAPSHOT',
    'STREAM.RESTORE',
    'CONSUMER.CREATE',
    'CONSUMER.DELETE',
    'CONSUMER.DURABLE.CREATE',
  ];
  for (const user of services) {
    for (const verb of verbs)
      for (const target of [`${stream}`, `${stream}.mine`])
        assert.not.ok(await mayPublish(connections.get(user)!, `$JS.API.${verb}.${target}`), `${user} ${verb}`);
    assert.not.ok(await mayPublish(connections.get(user)!, '$SYS.REQ.SERVER.PING'), `${user} $SYS`);
  }
});

test('who reads any fact may ask the leader for one, of the event streams alone; the sandbox and analysts may not', async ({
  connections,
}) => {
  for (const user of services) {
    const may = (name: string) => mayPublish(connections.get(user)!, `$JS.API.STREAM.MSG.GET.${name}`);
    assert.is(await may(stream), user !== 'sandbox' && user !== analyst, user);
    for (const other of ['KV_loom_keys', 'OBJ_loom_blobs', 'LOOM_TIMERS'])
      assert.not.ok(await may(other), `${user} ${other}`);
  }
});

test('only retention purges and erases, and never a single fact', async ({ connections }) => {
  for (const user of services) {
    const allowed = user === 'retention';
    const may = (verb: string): Promise<boolean> => mayPublish(connections.get(user)!, `$JS.API.STREAM.${verb}`);
    assert.is(await may(`PURGE.${stream}`), allowed, user);
    assert.is(await may('MSG.DELETE.KV_loom_keys'), allowed, user);
    assert.is(await may('MSG.DELETE.OBJ_loom_blobs'), allowed, user);
    assert.is(await may(`MSG.DELETE.${stream}`), false, user);
    assert.is(await may('PURGE.KV_loom_keys'), false, user);
  }
});

test('the decider alone keeps snapshots, who opens a job reads them, and retention removes them', async ({
  connections,
}) => {
  const readers: readonly NatsUser[] = ['orchestrator', 'gateway', 'agent-runner', 'operator'];
  for (const user of services) {
    const may = (subject: string): Promise<boolean> => mayPublish(connections.get(user)!, subject);
    assert.is(await may('$KV.loom_snapshots.tx.job_0x.0'), user === 'orchestrator', user);
    assert.is(await may('$JS.API.DIRECT.GET.KV_loom_snapshots'), readers.includes(user), user);
    assert.is(await may('$JS.API.STREAM.PURGE.KV_loom_snapshots'), user === 'retention', user);
  }
});

test('each takes and acks the messages of its own durables alone', async ({ connections }) => {
  const durables = [...services.filter((user) => user !== 'operator'), 'analyst-ml'];
  for (const user of services) {
    for (const durable of durables) {
      const connection = connections.get(user)!;
      assert.is(
        await mayPublish(connection, `$JS.API.CONSUMER.MSG.NEXT.${stream}.${durable}`),
        user === durable,
        `${user} ${durable}`,
      );
      assert.is(
        await mayPublish(connection, `$JS.ACK.${stream}.${durable}.1.1.1.1.1`),
        user === durable,
        `${user} ${durable}`,
      );
      assert.is(
        await mayPublish(connection, `$JS.ACK._.hash.${stream}.${durable}.1.1.1.1.1.x`),
        user === durable,
        `${user} ${durable}`,
      );
    }
  }
});

test('the sandbox reads kills and its own facts by subject, nothing else', async ({ connections }) => {
  const sandbox = connections.get('sandbox')!;
  const get = `$JS.API.DIRECT.GET.${stream}`;
  for (const yes of ['gateway.job.kill-requested.0', 'orchestrator.epoch.raised.1', 'sandbox.tool.settled.x'])
    assert.ok(await mayPublish(sandbox, `${get}.loom.0.0.tx.job_0x.${yes}`), yes);
  for (const no of ['gateway.job.submitted.0', 'orchestrator.decision.made.1', 'agent-runner.step.settled.x'])
    assert.not.ok(await mayPublish(sandbox, `${get}.loom.0.0.tx.job_0x.${no}`), no);
  assert.not.ok(await mayPublish(sandbox, get), 'by sequence');
  for (const key of ['tenant.tx', 'content.tx.job_0x', 'person.x']) {
    assert.not.ok(await mayPublish(sandbox, `$JS.API.DIRECT.GET.KV_loom_keys.$KV.loom_keys.${key}`), key);
    assert.not.ok(await mayPublish(sandbox, `$KV.loom_keys.${key}`), key);
  }
});

test('an analyst asks for messages of its own durables and for schemas, and nothing else at all', async ({
  connections,
}) => {
  const may = (subject: string): Promise<boolean> => mayPublish(connections.get(analyst)!, subject);
  for (const yes of [
    `$JS.API.CONSUMER.MSG.NEXT.${stream}.${analyst}`,
    `$JS.API.CONSUMER.INFO.${stream}.${analyst}`,
    '$JS.API.DIRECT.GET.KV_loom_schemas.$KV.loom_schemas.e54f55c4a30b5d90',
  ])
    assert.ok(await may(yes), yes);
  for (const no of [
    `$JS.API.STREAM.INFO.${stream}`,
    `$JS.API.DIRECT.GET.${stream}`,
    `$JS.API.DIRECT.GET.${stream}.${fact('gateway')}.job.submitted.0`,
    `$JS.API.CONSUMER.RESET.${stream}.${analyst}`,
    `$JS.API.CONSUMER.INFO.${stream}.billing`,
    '$JS.API.DIRECT.GET.KV_loom_keys.$KV.loom_keys.tenant.tx',
    '$JS.API.DIRECT.GET.KV_loom_snapshots',
    '$JS.API.DIRECT.GET.OBJ_loom_blobs',
    '$JS.API.DIRECT.GET.KV_loom_schemas',
    '$KV.loom_schemas.e54f55c4a30b5d90',
    '$JS.API.INFO',
    'live.tx.job_0x.a1',
    'timers.x',
  ])
    assert.not.ok(await may(no), no);
  for (const subject of ['live.>', fact('gateway'), '$JS.EVENT.>'])
    assert.not.ok(await mayHear(connections.get(analyst)!, subject), subject);
});

test('billing, audit and retention have no way to content keys but to destroy them', async ({ connections }) => {
  for (const user of ['billing', 'audit'] as const) {
    assert.not.ok(
      await mayPublish(connections.get(user)!, '$JS.API.DIRECT.GET.KV_loom_keys.$KV.loom_keys.tenant.tx'),
      user,
    );
    assert.not.ok(await mayPublish(connections.get(user)!, '$KV.loom_keys.tenant.tx'), user);
    assert.not.ok(await mayHear(connections.get(user)!, 'live.>'), user);
  }
});

test("nobody hears another's replies, nor the whole log but the gateway and the operator", async ({ connections }) => {
  for (const user of users) {
    const connection = connections.get(user)!;
    for (const other of users)
      assert.is(await mayHear(connection, `_INBOX_${other}.>`), user === other, `${user} ${other}`);
    assert.is(await mayHear(connection, '_INBOX.>'), false, user);
    assert.is(await mayHear(connection, '>'), false, user);
    assert.is(await mayHear(connection, 'loom.>'), user === 'gateway' || user === 'operator', user);
    assert.is(await mayHear(connection, '$KV.loom_keys.>'), false, user);
  }
});

test('a key that is there is replaced by nobody', async ({ connections }) => {
  const gateway = connections.get('gateway')!;
  const put = async (): Promise<unknown> => (await gateway.request('$KV.loom_keys.tenant.tz', 'v', patient)).json();
  assert.not.ok('error' in ((await put()) as object));
  assert.ok('error' in ((await put()) as object));
});

test.run();
