import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { start } from '@loom/audit';
import { asTenant, openPool } from '@loom/projection';
import { postgresDatabase } from '@loom/test';
import { all, epoch, job, message, passwordOf, run, submitted, world } from '../../../../packages/log/test/world.ts';

test('calls and every item of a decision are on the trail once, its dispatches are not, and no row holds content', async () => {
  await using database = await postgresDatabase();
  await using nats = await world();
  const [gateway, orchestrator] = [await nats.log('gateway'), await nats.log('orchestrator')];
  const url = await database.migrate('audit');
  const at = job();
  await gateway.append(at, submitted('CANARY brief'));
  const [seen] = await all(orchestrator.read(at));
  const fence = { seq: seen?.seq ?? 0, orchestratorSeq: 0, chain: '00' };
  const decision = await orchestrator.decide(at, [epoch('1'), run('a1-1-0-1', 'CANARY args')], fence);
  await orchestrator.dispatch(at, { seq: decision?.seq ?? 0, type: 'run.requested', key: 'a1-1-0-1' });
  await gateway.append(at, message('m1', 'CANARY text'));
  const service = await start({ LOOM_NATS_URL: nats.url, LOOM_NATS_PASSWORD: passwordOf('audit'), LOOM_PG_URL: url });
  const pool = openPool(url, 'test');
  const rows = () => asTenant(pool, 'audit', at.tenant, (tx) => tx.query('select * from audit_log order by seq, item'));
  while ((await rows()).length < 4) await sleep(20);
  await service.stop();
  const trail = await rows();
  assert.equal(
    trail.map((row) => `${row['kind']} ${row['action']} ${row['person']}`),
    [
      'request POST /v1/jobs user_1',
      'decision epoch.raised ',
      'decision run.requested ',
      'request POST /v1/jobs user_1',
    ],
  );
  assert.not.match(JSON.stringify(trail), /CANARY|192\.0\.2\.7/);
  await pool.end();
});

test.run();
