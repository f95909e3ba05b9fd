/** Files that are hard to read: each job ends, and what its report says is what the file was made to hold. */
import { clientOf, stack, type Client } from '@loom/test';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { bigCsv, germanCsv, nestedJsonLines, plainText, type Tally } from '../support/awkward.ts';
import { sectionOf, tablesOf } from '../support/report.ts';

type Stack = Awaited<ReturnType<typeof stack>>;

const seed = Number(process.env['LOOM_SEED'] ?? Math.floor(Math.random() * 1e9));
console.log(`LOOM_SEED=${seed}`);

interface World {
  system: Stack;
  client: Client;
}

const test = suite<World>('awkward files');

test.before(async (world) => {
  world.system = await stack();
  world.client = clientOf(world.system);
});
test.after(async ({ system }) => {
  await system[Symbol.asyncDispose]();
});

async function reported(client: Client, id: string): Promise<string> {
  const job = await client.ended(id, 120);
  assert.is(job.status, 'completed', JSON.stringify(job.failure ?? job.refusal));
  const report = (await client.artifact(id, 'final/report.md')).toString();
  assert.match(report, /produced by an AI system/i);
  return report;
}

/** The rows of the table under a caption in a section, as text. */
function table(report: string, section: string, caption: string): readonly (readonly string[])[] {
  const found = tablesOf(report).find((one) => one.caption === caption && one.section.includes(section));
  assert.ok(found, `no table ${caption} in ${section}:\n${report}`);
  return found?.rows ?? [];
}

/** The first two columns of a table say the tally, number by number; who has the same as another may stand on either side of it. */
function holds(rows: readonly (readonly string[])[], tally: Tally): void {
  const shown = rows.map(([name = '', amount]) => [name, Number(amount)] as const);
  const wanted = tally.slice(0, rows.length);
  const amounts = (pairs: Tally): readonly number[] => pairs.map(([, amount]) => amount);
  assert.equal(amounts(shown), amounts(wanted));
  assert.equal(byName(shown), byName(wanted));
  assert.ok(rows.length >= Math.min(tally.length, 3));
}

const byName = (pairs: Tally): Tally => pairs.toSorted(([a], [b]) => (a < b ? -1 : 1));

function column(report: string, file: string, name: string): readonly string[] {
  const row = table(report, file, 'Columns').find(([first]) => first === name);
  assert.ok(row, `no column ${name}`);
  return row ?? [];
}

test('semicolons, decimal commas and Latin-1: sums, umlauts and gaps are read as they were written', async ({
  client,
}) => {
  const { content, figures } = germanCsv(seed);
  const name = 'Verkäufe Q1 (neu).csv';
  const id = await client.submit('Which Ort has the most rows, and which the highest sum of Preis?', {
    [name]: content,
  });
  const report = await reported(client, id);
  assert.match(sectionOf(report, name), /latin-1|windows-1252|cp1252/i);
  assert.match(sectionOf(report, name), /semicolon, decimal comma/);
  assert.match(sectionOf(report, name), `; ${figures.rows} rows, 5 columns`);
  assert.is(column(report, name, 'Preis')[2], String(figures.empty));
  assert.is(column(report, name, 'Datum')[1], 'date');
  holds(table(report, '1. ', 'Rows by Ort'), figures.byTown);
  const euros = figures.cents.map(([town, cents]) => [town, cents / 100] as const);
  holds(table(report, '2. ', 'Sum of Preis by Ort'), euros);
});

test('JSON Lines with objects in objects and absent fields: every path is a column, absent is not zero', async ({
  client,
}) => {
  const { content, figures } = nestedJsonLines(seed);
  const brief = 'Which user.geo.country has the most rows and the largest total size?';
  const report = await reported(client, await client.submit(brief, { 'events.jsonl': content }));
  assert.match(sectionOf(report, 'events.jsonl'), `${figures.rows} rows`);
  assert.is(column(report, 'events.jsonl', 'user.geo.country')[2], String(figures.absent));
  holds(table(report, '1. ', 'Rows by user.geo.country'), figures.byCountry);
  holds(table(report, '1. ', 'Sum of size by user.geo.country'), figures.bytes);
});

test('200 KB of plain text: lines, words and the most frequent ones are counted', async ({ client }) => {
  const { content, figures } = plainText(seed);
  const brief = 'What are the most frequent words, and how many lines are there?';
  const report = await reported(client, await client.submit(brief, { 'story.txt': content }));
  const counts = Object.fromEntries(table(report, 'story.txt', 'Figures').map(([key, value]) => [key, value]));
  assert.is(counts['lines'], String(figures.lines));
  assert.is(counts['words'], String(figures.words));
  holds(table(report, 'story.txt', 'Most frequent words'), figures.top);
});

test('a CSV of 50 MB is profiled whole, or the report names the limit that stopped it', async ({ client }) => {
  const { content, figures } = bigCsv(seed);
  const brief = 'Which region has the most rows and the largest total amount?';
  const report = await reported(client, await client.submit(brief, { 'big.csv': content }));
  const section = sectionOf(report, 'big.csv');
  if (/only a part was read|could not be profiled|could not all be computed/i.test(section)) {
    console.log('big.csv: not read whole');
    assert.match(section, /30 seconds|512 MB/, section.slice(0, 1500));
    return;
  }
  assert.match(section, `${figures.rows} rows`);
  holds(table(report, '1. ', 'Rows by region'), figures.byRegion);
  holds(table(report, '1. ', 'Sum of amount by region'), figures.amount);
});

test('an empty file, noise, a lone header and a name full of marks: the report says of each what it is', async ({
  client,
}) => {
  const odd = `Größe "alt" & 'neu' $(x) [1].csv`;
  const noise = Buffer.from(Array.from({ length: 5_000 }, (_, at) => (at * 7_919 + seed) % 256));
  const files = {
    'empty.csv': '',
    'noise.bin': noise,
    'header.csv': 'name,amount\n',
    [odd]: 'Sorte;Menge\nrot;3\nrot;5\nblau;4\n',
  };
  const attachments = Object.entries(files).map(([name, content]) => ({
    name,
    media_type: 'application/octet-stream',
    content_base64: Buffer.from(content).toString('base64'),
  }));
  const { id } = await client.gateway.json<{ id: string }>('POST', '/v1/jobs', {
    brief: 'Describe each of these files.',
    attachments,
  });
  const report = await reported(client, id);
  assert.match(sectionOf(report, 'empty.csv'), /empty \(0 bytes\)/);
  assert.match(sectionOf(report, 'noise.bin'), /not text/);
  assert.match(sectionOf(report, 'header.csv'), /0 rows, 2 columns/);
  assert.match(sectionOf(report, odd), /3 rows, 2 columns/);
  assert.match(column(report, odd, 'Menge')[4] ?? '', /sum 12\b/);
  holds(table(report, odd, 'Sum of Menge by Sorte'), [
    ['rot', 8],
    ['blau', 4],
  ]);
});

test('what is asked beyond rules is not guessed: the report says that it needs a model', async ({ client }) => {
  const report = await reported(
    client,
    await client.submit('Why do people in the north buy more, and what should we do about it?', {
      'sales.csv': 'region,amount\nnorth,5\nsouth,3\n',
    }),
  );
  assert.is(report.match(/\*\*Needs a model\.\*\*/g)?.length, 2);
  assert.not.match(report, /because people/i);
});

test.run();
