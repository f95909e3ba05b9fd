import { connect } from '@nats-io/transport-node';
import pg from 'pg';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { natsServer, postgresDatabase } from '../src/index.ts';

async function assertRefused(query: Promise<unknown>): Promise<void> {
  const message = await query.then(
    () => 'done',
    (cause: Error) => cause.message,
  );
  assert.match(message, /permission denied/);
}

test('a test gets a nats-server of its own, gone by pid on dispose', async () => {
  let pid = 0;
  {
    await using server = await natsServer();
    pid = server.pid;
    const nc = await connect({ servers: server.url });
    assert.is(nc.info?.jetstream, true);
    await nc.close();
  }
  assert.throws(() => process.kill(pid, 0));
});

test('a test gets an empty database, with the role of a service that owns nothing', async () => {
  await using db = await postgresDatabase();
  const url = await db.migrate('billing');
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  await assertRefused(client.query('create table billing.mine (a int)'));
  await client.end();
});

test.run();
