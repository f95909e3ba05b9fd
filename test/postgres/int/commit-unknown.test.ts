/** P-06: the connection is cut when COMMIT has been sent. Nobody knows whether it was done; the checkpoint does. */
import { setTimeout as sleep } from 'node:timers/promises';
import { postgresDatabase } from '@loom/test';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { tcpProxy, type Fate } from '../../support/tcp-proxy.ts';
import { billingWorld } from '../world.ts';

const rounds = process.env['LOOM_NIGHTLY'] === '1' ? 300 : 20;

/** A simple query of PostgreSQL's protocol that says `commit`. */
const commit = Buffer.from('Q\0\0\0\x0bcommit\0', 'latin1');

test(`${rounds} connections cut at COMMIT leave every row once, done or not`, async () => {
  await using database = await postgresDatabase();
  const url = new URL(await database.migrate('billing'));
  const next: { fate: Fate } = { fate: 'pass' };
  const armed = (): boolean => next.fate !== 'pass';
  let committed = 0;
  const cuts = { cut: 0, 'cut-behind': 0 };
  const fateOf = (sent: Buffer): Fate => {
    if (next.fate === 'pass' || !sent.includes(commit)) return 'pass';
    const { fate } = next;
    cuts[fate] += 1;
    next.fate = 'pass';
    return fate;
  };
  const done = (answer: Buffer): void => void (committed += answer.includes('COMMIT\0') ? 1 : 0);
  await using proxy = await tcpProxy(Number(url.port), fateOf, done);
  await using billing = await billingWorld(database.url, Object.assign(url, { port: String(proxy.port) }).href);
  for (let round = 0; round < rounds; round += 1) {
    next.fate = round % 4 === 0 ? 'cut' : 'cut-behind';
    for (const end = Date.now() + 10_000; armed(); await sleep(5)) {
      if (Date.now() > end) throw new Error('no COMMIT came through the proxy');
    }
  }
  const { rows, rebuilt, attempts } = await billing.settle();
  console.log(
    `P-06: ${cuts['cut-behind']} cut behind COMMIT, ${cuts.cut} before it arrived; ${attempts} attempts counted, ${rows.length} rows`,
  );
  assert.is(committed, cuts['cut-behind'], 'these were done, and nobody was told');
  assert.equal(rows, rebuilt);
});

test.run();
