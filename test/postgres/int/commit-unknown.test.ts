/** P-06: the connection is cut when COMMIT has been sent. Nobody knows whether it was done; the checkpoint does. */
import { setTimeout as sleep } from 'node:timers/promises';
import { postgresDatabase, type Database } from '@loom/test';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { tcpProxy, type Fate, type TcpProxy } from '../../support/tcp-proxy.ts';
import { billingWorld, counted, grown, withClient } from '../world.ts';

const rounds = process.env['LOOM_NIGHTLY'] === '1' ? 300 : 20;

/** A simple query of PostgreSQL's protocol that says `commit`. */
const commit = Buffer.from('Q\0\0\0\x0bcommit\0', 'latin1');

interface Cutter extends AsyncDisposable {
  /** The database's URL by way of the proxy. */
  readonly url: string;
  /** Commits that were done, and nobody was told. */
  committed(): number;
  /** Cuts the next connection that says COMMIT. @throws when none does within a minute */
  cut(fate: 'cut' | 'cut-behind'): Promise<void>;
}

async function cutterBefore(url: URL): Promise<Cutter> {
  let next: Fate = 'pass';
  let committed = 0;
  const armed = (): boolean => next !== 'pass';
  const fateOf = (sent: Buffer): Fate => {
    if (!armed() || !sent.includes(commit)) return 'pass';
    const fate = next;
    next = 'pass';
    return fate;
  };
  const proxy: TcpProxy = await tcpProxy(Number(url.port), fateOf, (answer) => {
    if (answer.includes('COMMIT\0')) committed += 1;
  });
  return {
    url: Object.assign(new URL(url), { port: String(proxy.port) }).href,
    committed: () => committed,
    async cut(fate) {
      next = fate;
      for (const end = Date.now() + 60_000; armed(); await sleep(5))
        if (Date.now() > end) throw new Error('no COMMIT came through the proxy');
    },
    [Symbol.asyncDispose]: () => proxy[Symbol.asyncDispose](),
  };
}

/** Some commit passes before the next is cut: otherwise every try of a transaction would be, and each waits twice as long as the last. */
const goesOn = (url: string): Promise<void> => withClient(url, async (admin) => grown(admin, await counted(admin)));

const cutterOf = async (database: Database): Promise<Cutter> =>
  cutterBefore(new URL(await database.migrate('billing')));

test(`${rounds} connections cut at COMMIT leave every row once, done or not`, async () => {
  await using database = await postgresDatabase();
  await using cutter = await cutterOf(database);
  await using billing = await billingWorld(database.url, cutter.url);
  let behind = 0;
  for (let round = 0; round < rounds; round += 1) {
    const fate = round % 4 === 0 ? 'cut' : 'cut-behind';
    if (fate === 'cut-behind') behind += 1;
    await cutter.cut(fate);
    await goesOn(database.url);
  }
  const { rows, attempts, wrong } = await billing.settle();
  console.log(`P-06: ${behind} of ${rounds} cut behind COMMIT; ${attempts} attempts counted, ${rows} rows`);
  assert.is(cutter.committed(), behind, 'these were done, and nobody was told');
  assert.equal(wrong, []);
});

test('the control: where the checkpoint stays, a fact whose commit nobody was told of is counted twice', async () => {
  await using database = await postgresDatabase();
  await using cutter = await cutterOf(database);
  await withClient(database.url, (admin) =>
    admin.query(`
      create function public.stay() returns trigger language plpgsql as $$ begin return old; end $$;
      create trigger stay before update on billing.checkpoint for each row execute function public.stay()`),
  );
  await using billing = await billingWorld(database.url, cutter.url);
  for (let round = 0; round < 8; round += 1) {
    await cutter.cut('cut-behind');
    await goesOn(database.url);
  }
  const right = await billing.settle().then(
    ({ wrong }) => wrong.length === 0,
    () => false, // more attempts in the rows than in the log
  );
  assert.not(right);
});

test.run();
