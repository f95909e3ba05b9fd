import { readFileSync } from 'node:fs';
import * as fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { questions } from '../../src/offline/questions.ts';
import { askFor } from '../../src/offline/rules.ts';
import { concerns } from '../../src/offline/relevance.ts';
import { column, profile } from './support.ts';

const brief = readFileSync(new URL('../../../../examples/compare-packages.md', import.meta.url), 'utf8');
const packages = profile(
  'debian-packages.csv',
  [
    column('package', 'id', { distinct: 100 }),
    column('section', 'category', {
      top: [
        ['libs', 40],
        ['games', 9],
      ],
    }),
    column('installed_kb', 'number', { size_like: true }),
    column('download_bytes', 'number', { size_like: true }),
    column('dependencies', 'number'),
  ],
  { labels: ['package', 'section'] },
);
const zones = profile(
  'time-zones.tsv',
  [
    column('country_codes', 'list', { separator: ',' }),
    column('coordinates', 'coordinates'),
    column('time_zone', 'id', { distinct: 100 }),
  ],
  { labels: ['time_zone'] },
);
const sales = profile('sales.csv', [
  column('date', 'date', { form: '%Y-%m-%d' }),
  column('city', 'category', { top: [['Bonn', 4]] }),
  column('price', 'number', { size_like: true }),
  column('quantity', 'number', { size_like: true }),
]);

const opOf = (text: string, of = sales) => {
  const ask = askFor({ id: 1, kind: 'question', text, topic: '' }, text, of);
  return ask?.from === 'work' ? ask.work : ask?.part;
};

test('the brief of the example falls into six questions and two wishes, each with its topic', () => {
  const found = questions(brief);
  assert.equal(
    found.filter(({ kind }) => kind === 'question').map(({ id, text, topic }) => [id, text, topic]),
    [
      [1, 'which sections hold the most packages and the most installed megabytes', 'packages'],
      [2, 'how installed size relates to the number of dependencies', 'packages'],
      [3, 'the ten heaviest packages', 'packages'],
      [4, 'how many countries share a zone', 'time zones'],
      [5, 'which zones reach the furthest north and south', 'time zones'],
      [6, 'what in the data looks odd', ''],
    ],
  );
  assert.equal(found.filter(({ kind }) => kind === 'request').length, 2);
});

test('a question goes to the file that its topic names', () => {
  const files = ['debian-packages.csv', 'time-zones.tsv'];
  const mine = (of: typeof packages) =>
    questions(brief)
      .filter(({ kind }) => kind === 'question')
      .filter((question) => concerns(question, of, files))
      .map(({ id }) => id);
  assert.equal(mine(packages), [1, 2, 3, 6]);
  assert.equal(mine(zones), [4, 5, 6]);
});

test('every question of the example maps onto a computation over the right columns', () => {
  const asked = questions(brief)
    .filter(({ kind }) => kind === 'question')
    .map((question) => askFor(question, brief, question.topic === 'time zones' ? zones : packages));
  const works = asked.map((ask) => (ask?.from === 'work' ? ask.work : ask?.part));
  assert.equal(works[0], {
    op: 'groups',
    by: 'section',
    measures: [{ agg: 'count' }, { agg: 'sum', column: 'installed_kb' }],
    n: 10,
    ascending: false,
    where: [],
  });
  assert.equal(works[1], { op: 'relation', x: 'dependencies', y: 'installed_kb', where: [] });
  assert.equal(works[2], {
    op: 'top',
    column: 'installed_kb',
    n: 10,
    ascending: false,
    show: ['package', 'section'],
    where: [],
  });
  assert.match(asked[2]?.reading ?? '', /download_bytes/);
  assert.equal(works[3], { op: 'sharing', column: 'country_codes', n: 10, show: ['time_zone'] });
  assert.equal(works[4], {
    op: 'extremes',
    place: 'coordinates',
    latitude: null,
    longitude: null,
    ways: ['north', 'south'],
    n: 5,
    show: ['time_zone'],
  });
  assert.is(works[5], 'oddities');
});

test('everyday questions map onto averages, trends, counts, filters and profile parts', () => {
  assert.equal(opOf('What is the average price per city?'), {
    op: 'groups',
    by: 'city',
    measures: [{ agg: 'mean', column: 'price' }],
    n: 10,
    ascending: false,
    where: [],
  });
  assert.equal(opOf('total quantity per month'), {
    op: 'trend',
    column: 'date',
    unit: 'month',
    measure: { agg: 'sum', column: 'quantity' },
  });
  assert.equal(opOf('How many cities are there?'), { op: 'count', column: 'city', where: [] });
  assert.equal(opOf('What is the median price in Bonn?'), {
    op: 'figures',
    column: 'price',
    aggs: ['count', 'sum', 'mean', 'median', 'min', 'max'],
    where: [{ is: 'equal', column: 'city', value: 'Bonn' }],
  });
  assert.equal(opOf('the 5 cheapest sales'), {
    op: 'top',
    column: 'price',
    n: 5,
    ascending: true,
    show: [],
    where: [],
  });
  assert.is(opOf('Which values are missing?'), 'missing');
});

test('what rules cannot know is left to a model', () => {
  for (const text of [
    'Why do prices fall?',
    'Should we open a shop in Bonn?',
    'Predict the sales of next year',
    'Who owns the company?',
    'What is the mood of the customers?',
  ])
    assert.is(opOf(text), undefined, text);
});

test('a measure, bound or value that the file does not have is not guessed', () => {
  for (const text of [
    'Which city has the largest population density?',
    'How many sales have weight over 100?',
    'How many sales are from "Bonn" and "Kassel town"?',
    'the ten heaviest trucks',
  ]) {
    const asked = opOf(
      text,
      profile('sales.csv', [column('city', 'text', { distinct: 99 }), column('amount', 'number', { size_like: true })]),
    );
    assert.is(asked, undefined, text);
  }
  assert.equal(opOf('How many sales have quantity over 50?'), {
    op: 'count',
    column: null,
    where: [{ is: 'over', column: 'quantity', value: 50 }],
  });
});

test('a brief in any shape gives questions without a throw, and the same ones each time', () => {
  const words = fc.constantFrom(
    'which',
    'how',
    'the ten',
    'and',
    ',',
    ';',
    ':',
    '.',
    '?',
    '\n\n',
    '- ',
    'For the',
    '`a.csv`',
    'most',
    'packages',
    '"',
    '```',
    '\u0000',
    'ü',
  );
  fc.assert(
    fc.property(fc.array(fc.oneof(words, fc.string()), { maxLength: 60 }), (parts) => {
      const text = parts.join(' ');
      const found = questions(text);
      assert.equal(questions(text), found);
      for (const question of found) askFor(question, text, packages);
    }),
  );
});

test('a demand without a question word is a question all the same', () => {
  assert.equal(
    questions('Average price by city. Revenue over time, per month. Distribution of price.').map(({ kind }) => kind),
    ['question', 'question', 'question'],
  );
});

test('bullets, numbers and dots inside names do not tear questions apart', () => {
  const found = questions(
    'Please look at `a.b.csv`:\n\n1. Which city sells most?\n2. What is the mean of v1.2 values, e.g. of 2024?\n- List the top 3 cities',
  );
  assert.equal(
    found.map(({ text }) => text),
    ['Which city sells most?', 'What is the mean of v1.2 values, e.g. of 2024?', 'List the top 3 cities'],
  );
});

test('a which that stands alone is about the noun of the one before it', () => {
  const found = questions('Which city has the most rows, and which the highest total price?').map(({ text }) => text);
  assert.equal(found, ['Which city has the most rows', 'which (city) the highest total price?']);
  assert.equal(opOf(found[1] ?? ''), {
    op: 'groups',
    by: 'city',
    measures: [{ agg: 'sum', column: 'price' }],
    n: 10,
    ascending: false,
    where: [],
  });
});

test('a trend that is asked for by group as well says what it leaves out', () => {
  const text = 'Show the average price per city over time';
  const ask = askFor({ id: 1, kind: 'question', text, topic: '' }, text, sales);
  assert.match(ask?.reading ?? '', /mean of price by month of date \(not split by city: that needs a model\)/);
});

test.run();
