/** Content is sealed, metadata is not: canaries in all that people, models and providers say are in no clear byte outside of the process that may open them. */
import { openVault } from '@loom/vault';
import { connectLog } from '@loom/log';
import { allFacts, clientOf, stack, type Client } from '@loom/test';
import { createServer } from 'node:http';
import { join } from 'node:path';
import pg from 'pg';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { shredJob } from '../../services/retention/src/consumers/shred.ts';
import { anthropicEmulator } from '../emulators/anthropic.ts';
import type { Script } from '../emulators/script.ts';
import { filesUnder, sightings } from '../support/canary.ts';

const names = [
  'brief',
  'file',
  'column',
  'plan',
  'task',
  'question',
  'answer',
  'error',
  'code',
  'output',
  'artifact',
  'path',
  'person',
  'agent',
] as const;
const canary = Object.fromEntries(
  names.map((name) => [name, `Canary${name}Zebra${Math.random().toString(36).slice(2, 12)}`]),
) as Record<(typeof names)[number], string>;

/** What the owner is shown again; the column and the made-up tool stay in file and call. */
const shown = [
  'brief',
  'file',
  'plan',
  'task',
  'question',
  'answer',
  'error',
  'code',
  'output',
  'artifact',
  'path',
] as const;

/** Plans, asks, runs code and writes, with a canary in everything that it says. */
const talkative: Script = ({ tools, turns }) => {
  const rounds = turns.filter(({ role }) => role === 'assistant').length;
  if (tools.includes('submit_plan')) {
    if (rounds === 0)
      return { text: 'Let me ask.', calls: [{ name: 'ask_user', args: { question: `${canary.question}?` } }] };
    return {
      calls: [
        {
          name: 'submit_plan',
          args: { agents: [{ id: 'one', role: canary.plan, task: canary.task, files: [`${canary.file}.csv`] }] },
        },
      ],
    };
  }
  if (tools.includes('delegate')) {
    if (rounds === 0)
      return {
        calls: [
          {
            name: 'run_code',
            args: {
              language: 'python',
              code: `print('${canary.output.slice(0, 20)}' + '${canary.output.slice(20)}') # ${canary.code}`,
            },
          },
          { name: canary.agent, args: {} },
        ],
      };
    return { text: 'Found.' };
  }
  if (rounds === 0)
    return { calls: [{ name: 'write_artifact', args: { path: `final/${canary.path}.md`, content: canary.artifact } }] };
  return { text: 'Done.' };
};

/** Answers the first call with a provider's error that holds a canary, then leaves it to the emulator. */
async function stumbling(to: string): Promise<AsyncDisposable & { readonly url: string }> {
  let calls = 0;
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => void chunks.push(chunk));
    request.on('end', () => {
      calls += 1;
      if (calls === 1) {
        response.writeHead(500, { 'content-type': 'application/json' });
        return void response.end(
          JSON.stringify({ type: 'error', error: { type: 'api_error', message: canary.error } }),
        );
      }
      const headers = { ...request.headers } as Record<string, string>;
      for (const name of ['host', 'content-length', 'connection', 'transfer-encoding']) delete headers[name];
      void fetch(to + (request.url ?? ''), { method: 'POST', headers, body: Buffer.concat(chunks) }).then(
        async (answer) => {
          response.writeHead(answer.status, { 'content-type': answer.headers.get('content-type') ?? 'text/plain' });
          response.end(Buffer.from(await answer.arrayBuffer()));
        },
      );
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  return {
    url: `http://127.0.0.1:${typeof address === 'object' && address ? address.port : 0}`,
    [Symbol.asyncDispose]: () => new Promise((resolve) => server.close(() => resolve())),
  };
}

/** All rows of all tables of all schemas, as text. */
async function everyRow(url: string): Promise<string> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    const { rows } = await client.query<{ name: string }>(
      `select format('%I.%I', schemaname, tablename) as name from pg_tables where schemaname not in ('pg_catalog', 'information_schema')`,
    );
    const tables = [];
    for (const { name } of rows)
      tables.push(
        (await client.query<{ row: string }>(`select t::text as row from ${name} t`)).rows
          .map(({ row }) => row)
          .join('\n'),
      );
    return tables.join('\n');
  } finally {
    await client.end();
  }
}

interface World {
  readonly owned: AsyncDisposableStack;
  readonly system: Awaited<ReturnType<typeof stack>>;
  readonly client: Client;
  readonly id: string;
}

const test = suite<World>('content is sealed');

/** One job through all of it: an error, a question and its answer, a plan, a run, a file. */
test.before(async (world) => {
  const owned = new AsyncDisposableStack();
  const emulator = owned.use(await anthropicEmulator({ script: talkative }));
  const provider = owned.use(await stumbling(emulator.url));
  const env = { ANTHROPIC_BASE_URL: provider.url, ANTHROPIC_API_KEY: 'test', LOOM_LOG_LEVEL: 'trace' };
  const system = owned.use(await stack({ split: true, env }));
  const client = clientOf(system, { person: canary.person.toLowerCase() });
  const id = await client.submit(`Work on ${canary.brief}.`, { [`${canary.file}.csv`]: `${canary.column},b\n1,2\n` });
  const asking = await client.until(id, ({ pending }) => pending.length > 0);
  const answer = { text: canary.answer, in_reply_to: asking.pending[0]?.id };
  await client.gateway.json('POST', `/v1/jobs/${id}/messages`, answer);
  assert.is((await client.ended(id)).status, 'completed');
  Object.assign(world, { owned, system, client, id });
});

test.after(({ owned }) => owned.disposeAsync());

test('its owner sees all of it', async ({ client, id }) => {
  const { gateway } = client;
  const paths = ['', '/transcript', '/events?limit=100'].map((path) => `/v1/jobs/${id}${path}`);
  const seen = JSON.stringify(await Promise.all(paths.map((path) => gateway.json('GET', path))));
  const file = (await client.artifact(id, `final/${canary.path}.md`)).toString();
  for (const name of shown) assert.ok((seen + file).includes(canary[name]), `the owner sees the ${name}`);
  assert.ok(sightings(new Map([['control', Buffer.from(seen)]]), [canary.brief]).length > 0, 'the search can find');
});

test('it is in no clear byte of log, keys, database, exports and log lines', async ({ system, id }) => {
  const rows = await everyRow(system.postgresUrl);
  assert.ok(rows.includes(id), 'the job itself is there');
  const places = new Map([
    ...(await filesUnder(join(system.home, 'data'))),
    ...(await filesUnder(join(system.home, 'run', 'logs'))),
    ['export of clear facts', Buffer.from(JSON.stringify(await allFacts(system)))],
    ['database rows', Buffer.from(rows)],
  ]);
  const hidden = Object.values(canary).filter((one) => one !== canary.person);
  assert.equal(sightings(places, hidden), []);
});

test('once its key is destroyed, the key is in no store file and nobody opens it any more', async (world) => {
  const { system, client, id } = world;
  const environment = system.environment('retention');
  const user = { user: 'retention', password: environment['LOOM_NATS_PASSWORD'] ?? '', source: 'retention' } as const;
  await using log = await connectLog({ servers: system.natsUrl, ...user });
  const tenant = (await allFacts(system)).find(({ stream }) => stream === id)?.tenant ?? '';
  const subject = `$JS.API.DIRECT.GET.KV_loom_keys.$KV.loom_keys.content.${tenant}.${id}`;
  const { wrapped } = (await log.connection.request(subject)).json<{ wrapped: string }>();
  assert.ok((await holders(system.home, wrapped)).length > 0, 'the wrapped key is in a store file before');
  const rootKeyFile = environment['LOOM_ROOT_KEY_FILE'] ?? '';
  const vault = await openVault({ connection: log.connection, rootKeyFile });
  await shredJob({ vault, log }, tenant, id);
  assert.equal(await holders(system.home, wrapped), [], 'and in none after');
  await system.kill('gateway');
  await system.restart('gateway');
  const seen = await client.gateway.job(id).then(
    () => 'opened',
    (cause: Error) => cause.message,
  );
  assert.match(seen, /key_destroyed|gone/);
});

/** Store files that hold a wrapped key, as text or as bytes. */
async function holders(home: string, wrapped: string): Promise<string[]> {
  const forms = [Buffer.from(wrapped), Buffer.from(wrapped, 'base64')];
  const files = [...(await filesUnder(join(home, 'data')))];
  return files.filter(([, bytes]) => forms.some((form) => bytes.includes(form))).map(([file]) => file);
}

test.run();
