/** A person at the page of a whole Loom, in Debian's Chromium: from the sign-in link to the files, and back through the job's time. */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { Locator, Page } from 'playwright-core';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { worstOf } from '../axe.ts';
import { holding } from '../holding.ts';
import { place, sequencesOf, type Place } from '../place.ts';
import { story } from '../story.ts';

let at: Place;
let page: Page;
/** The job of the first test, which the ones behind it look at. */
let job = '';

const workers = holding(story);

test.before(async () => {
  at = await place(workers.script);
  page = at.browser.page;
});
test.after(async () => at[Symbol.asyncDispose]());

const status = (word: string): Locator => page.locator('.headline .status', { hasText: word });
const agent = (name: string): Locator => page.getByRole('option', { name });
const slider = (): Locator => page.getByLabel("Point in the job's time");

async function submit(brief: string): Promise<string> {
  await page.getByRole('link', { name: 'New brief' }).click();
  await page.getByLabel('Brief', { exact: true }).fill(brief);
  await page.getByRole('button', { name: 'Start' }).click();
  await page.waitForURL(/\/jobs\/job_/);
  return page.url().split('/').at(-1) ?? '';
}

/** So many different texts that an element shows, one after the other; fewer when it does not within 20 s. */
async function textsOf(element: Locator, enough: number): Promise<ReadonlySet<string>> {
  const texts = new Set<string>();
  for (const until = Date.now() + 20_000; texts.size < enough && Date.now() < until; await page.waitForTimeout(60))
    texts.add((await element.textContent({ timeout: 200 }).catch(() => '')) ?? '');
  return texts;
}

test('without a session the page says how to get one, and loads less than 300 KB', async () => {
  await page.goto(at.door.origin);
  await page.getByRole('heading', { name: 'Sign in' }).waitFor();
  assert.equal(await worstOf(page), []);
  await page.goto(at.link);
  await page.getByLabel('Brief', { exact: true }).waitFor();
  await page.waitForLoadState('networkidle');
  assert.is(page.url(), `${at.door.origin}/`, 'the token is gone from the address');
  const sizes = await page.evaluate<number[]>(
    `[...performance.getEntriesByType('navigation'), ...performance.getEntriesByType('resource')].map((one) => one.encodedBodySize)`,
  );
  await page.reload();
  const total = sizes.reduce((sum, size) => sum + size, 0);
  console.log(`first load: ${Math.round(total / 1000)} KB of 300 KB, ${sizes.length} files`);
  assert.ok(total > 50_000 && total < 300_000, `${total} bytes`);
});

test('a brief goes out with a file that was picked and one that was dropped, and its question is answered in place', async () => {
  await page.getByLabel('Brief', { exact: true }).fill('ASK Compare the cities of the files, with a chart.');
  const picked = { name: 'cities.csv', mimeType: 'text/csv', buffer: Buffer.from('city,amount\nOslo,3\n') };
  await page.locator('input[type=file]').setInputFiles(picked);
  await drop('towns.csv', 'city,amount\nRome,4\n');
  await page.locator('.chip .name').nth(1).waitFor();
  assert.equal(await page.locator('.chip .name').allTextContents(), ['cities.csv', 'towns.csv']);
  await at.browser.picture('1-brief');
  assert.equal(await worstOf(page), []);
  await page.getByRole('button', { name: 'Start' }).click();
  await page.getByText('Should the report compare by year or by month?').first().waitFor();
  job = page.url().split('/').at(-1) ?? '';
  const asked = await at.client.until(job, ({ status: word }) => word === 'waiting_input');
  assert.is(asked.pending.length, 1);
  await at.browser.picture('2-question');
  assert.equal(await worstOf(page), []);
  await page.getByLabel('Your answer').fill('By year.');
  await page.getByRole('button', { name: 'Answer' }).click();
  await agent('Reader of the data').waitFor();
});

async function drop(name: string, content: string): Promise<void> {
  const carried = await page.evaluateHandle(
    `(() => { const data = new DataTransfer(); data.items.add(new File([${JSON.stringify(content)}], ${JSON.stringify(name)}, { type: 'text/csv' })); return data; })()`,
  );
  await page.dispatchEvent('.composer', 'drop', { dataTransfer: carried });
}

test('agents move and words stream; a cut line and a reload in the middle lose and repeat nothing', async () => {
  await agent('Reader of the data').click();
  const words = await textsOf(page.locator('.speaking .plain'), 5);
  assert.ok(words.size > 4, `${words.size} texts while it spoke`);
  await at.browser.picture('3-running');
  const doing = agent('Painter of charts').locator('.doing');
  const first = await textsOf(doing, 1);
  const going = textsOf(doing, 2);
  await workers.holds(2);
  workers.release();
  const moved = [...first, ...(await going)];
  at.door.hold();
  const sent = linesOf(job)[0]?.length ?? 0;
  await page.getByText(`Fact ${sent} of ${sent}:`).waitFor();
  at.door.cut();
  while (linesOf(job).length < 2) await page.waitForTimeout(20);
  await page.reload();
  await doing.waitFor();
  workers.end();
  await status('Completed').waitFor({ timeout: 40_000 });
  const all = new Set([...moved, await doing.textContent()]);
  assert.ok(all.size > 2, [...all].join(', '));
  await linesHold();
});

const linesOf = (id: string): readonly (readonly number[])[] =>
  at.door.lines.filter(({ path }) => path.includes(id)).map(({ ids }) => ids);

/** The lines of the job, one behind the other, are its facts: each line without gap or repeat, each cut one taken up where it ended. */
async function linesHold(): Promise<void> {
  const seqs = await sequencesOf(at.client, job);
  const lines = linesOf(job);
  assert.ok(lines.length >= 3, `${lines.length} lines: at first, behind the cut, behind the reload`);
  const [first = [], second = [], ...more] = lines;
  assert.equal([...first, ...second], seqs.slice(0, first.length + second.length), 'taken up behind the cut');
  assert.equal(more.flat(), seqs, 'read anew behind the reload');
  await page.getByText(`Fact ${seqs.length} of ${seqs.length}: job.completed`).waitFor();
}

test('the job is looked at at any point of its time, by the same fold as the gateway', async () => {
  await slider().focus();
  await page.keyboard.press('Home');
  await page.getByText('Fact 1 of').waitFor();
  await page.getByRole('tabpanel').getByText('The planner has not begun yet.').waitFor();
  const box = await slider().boundingBox();
  assert.ok(box);
  await page.mouse.move(box.x + 10, box.y + box.height / 2);
  await page.mouse.down();
  await page.mouse.move(box.x + box.width * 0.5, box.y + box.height / 2, { steps: 12 });
  await page.mouse.up();
  await page.locator('.proof[data-is=same]').waitFor();
  await status('Running').waitFor();
  await at.browser.picture('4-time-travel');
  assert.equal(await worstOf(page), []);
  for (const key of ['ArrowRight', 'ArrowRight', 'ArrowLeft', 'PageUp']) await page.keyboard.press(key);
  await page.locator('.proof[data-is=same]').waitFor();
  await page.getByRole('button', { name: 'End', exact: true }).click();
  await status('Completed').waitFor();
});

test('files are shown by their kind and downloaded whole; what a model wrote runs nothing', async () => {
  await page.getByRole('tab', { name: 'Files' }).click();
  await page.getByRole('img', { name: 'Amounts by city' }).waitFor();
  assert.is(await page.title(), 'Loom');
  await at.browser.picture('5-files');
  assert.equal(await worstOf(page), []);
  const [saved] = await Promise.all([
    page.waitForEvent('download'),
    page.getByRole('button', { name: 'Download', exact: true }).click(),
  ]);
  const { artifacts } = (await at.client.gateway.job(job)) as unknown as {
    artifacts: { path: string; sha256: string }[];
  };
  const sum = createHash('sha256')
    .update(await readFile(await saved.path()))
    .digest('hex');
  assert.is(sum, artifacts.find(({ path }) => path === 'final/report.md')?.sha256);
  await page.getByRole('button', { name: 'a table' }).click();
  await page.getByText('3 rows, 2 columns').waitFor();
  const [zip] = await Promise.all([
    page.waitForEvent('download'),
    page.getByRole('button', { name: 'Download all (ZIP)' }).click(),
  ]);
  assert.is((await readFile(await zip.path())).subarray(0, 2).toString(), 'PK');
});

test('one job is cancelled, another killed, each after a question', async () => {
  workers.release();
  await submit('SLOW Say it again and again.');
  await agent('Reader of the data').waitFor();
  await page.getByRole('button', { name: 'Cancel job' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Cancel job' }).click();
  await page.getByText('ending …').waitFor();
  workers.release();
  await submit('SLOW Say it once more.');
  await agent('Reader of the data').waitFor();
  await page.getByRole('button', { name: 'Kill job' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Kill job' }).click();
  await status('Cancelled').waitFor();
  workers.end();
  await page.getByRole('link', { name: /Say it again and again/ }).click();
  await status('Cancelled').waitFor({ timeout: 40_000 });
});

test('a job that waits for budget goes on with a larger one, set with the keyboard alone', async () => {
  await page.getByRole('link', { name: 'New brief' }).focus();
  await page.keyboard.press('Enter');
  await page.getByLabel('Brief', { exact: true }).focus();
  await page.keyboard.type('Short and dear.');
  await page.getByLabel('Budget, $').fill('0.01');
  await page.getByLabel('Brief', { exact: true }).press('Control+Enter');
  await page.getByText('The budget is spent').waitFor();
  await at.browser.picture('6-budget');
  assert.equal(await worstOf(page), []);
  await page.getByLabel('Budget, $').fill('5');
  await page.keyboard.press('Enter');
  await page.getByText('of $5.00').first().waitFor();
  await agent('Reader of the data').waitFor();
});

test('jobs are found by their words, and the page reads well in the dark and on a phone', async () => {
  await page.getByLabel(/^Search jobs/).fill('cities files');
  assert.equal((await page.locator('.job-row .brief').allTextContents()).length, 1);
  await page.goto(`${at.door.origin}/jobs/${job}`);
  await status('Completed').waitFor();
  await page.emulateMedia({ colorScheme: 'dark' });
  assert.equal(await worstOf(page), []);
  await at.browser.picture('7-dark');
  await page.setViewportSize({ width: 390, height: 844 });
  await page.waitForTimeout(200);
  assert.equal(await worstOf(page), []);
  const over = await page.evaluate<number>('document.documentElement.scrollWidth - innerWidth');
  assert.ok(over <= 0, `${over} pixels stick out`);
  await at.browser.picture('8-phone');
  await page.goto(`${at.door.origin}/`);
  await page.getByLabel('Brief', { exact: true }).waitFor();
  assert.equal(await worstOf(page), []);
});

test('what was used is shown as the gateway sums it', async () => {
  await page.setViewportSize({ width: 1280, height: 900 });
  await page.goto(`${at.door.origin}/usage`);
  await page.getByRole('heading', { name: 'Dearest jobs' }).waitFor();
  type Told = {
    readonly total: { readonly jobs: number };
    readonly items: readonly { readonly spent_micros: number }[];
  };
  const told = await at.client.gateway.json<Told>('GET', '/v1/usage?group_by=job');
  assert.ok(told.items.some(({ spent_micros: micros }) => micros > 0));
  assert.match(await page.locator('.usage .lead').innerText(), new RegExp(`over ${told.total.jobs} jobs? since`));
  assert.is(await page.locator('.usage section').count(), 4);
  assert.equal(await worstOf(page), []);
  await at.browser.picture('9-usage');
});

test('nothing was asked of anybody else, and the policy had nothing to refuse', () => {
  assert.equal(at.browser.elsewhere, []);
  assert.equal(at.browser.troubles, []);
});

test.run();
