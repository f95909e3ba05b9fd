import { natsServer, patient } from '@loom/test';
import { jetstreamManager } from '@nats-io/jetstream';
import { connect } from '@nats-io/transport-node';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { schemas } from '@loom/schemas';
import { connectLog, setUpLog } from '../../src/index.ts';
import { epoch, failing, job } from '../world.ts';

const nobody = { user: '', password: '' };

test('set-up run twice changes nothing, and what it made echoes what was asked for', async () => {
  await using server = await natsServer();
  const options = { ...nobody, servers: server.url };
  await setUpLog(options);
  await using log = await connectLog({ ...options, source: 'orchestrator' });
  await log.append(job(), epoch('1'));
  await setUpLog(options);
  await using again = await connectLog({ ...options, source: 'orchestrator' });
  assert.equal(
    log.streams.map((stream) => again.incarnation(stream)),
    log.streams.map((stream) => log.incarnation(stream)),
  );
  assert.is(new Set(log.streams.map((stream) => log.incarnation(stream))).size, 4);
  const manager = await jetstreamManager(log.connection, patient);
  assert.is((await manager.streams.info('KV_loom_schemas')).state.messages, schemas.size);
});

test('a stream that is not as it must be is named and left alone', async () => {
  await using server = await natsServer();
  const options = { ...nobody, servers: server.url };
  await setUpLog(options);
  const connection = await connect({ servers: server.url });
  const manager = await jetstreamManager(connection, patient);
  await manager.streams.update('LOOM_EVENTS_0_2', { max_msgs: 10 });
  assert.is(await failing(setUpLog(options)), 'setting_not_echoed');
  assert.is(await failing(connectLog({ ...options, source: 'gateway' })), 'setting_not_echoed');
  assert.is((await manager.streams.info('LOOM_EVENTS_0_2')).config.max_msgs, 10);
  await connection.close();
});

test('without the set-up a service says what to do', async () => {
  await using server = await natsServer();
  assert.is(await failing(connectLog({ ...nobody, servers: server.url, source: 'gateway' })), 'part_missing');
});

test('a server that is not there is unavailable, not a crash', async () => {
  assert.is(
    await failing(connectLog({ ...nobody, servers: 'nats://127.0.0.1:1', source: 'gateway' })),
    'log_unavailable',
  );
});

test('another number of streams than was set up is refused', async () => {
  await using server = await natsServer();
  const options = { ...nobody, servers: server.url };
  await setUpLog({ ...options, streams: 2 });
  assert.is(await failing(connectLog({ ...options, source: 'gateway', streams: 4 })), 'setting_not_echoed');
});

test.run();
