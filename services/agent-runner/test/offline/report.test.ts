import * as fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { decode, encode, type FileFindings } from '../../src/offline/findings.ts';
import { block, code, grid, plain } from '../../src/offline/markdown.ts';
import { DISCLOSURE, NEEDS_MODEL, report } from '../../src/offline/report.ts';
import { attachment, column, profile, situation } from './support.ts';

const evil = '![x](http://evil/1) </td><script>alert(1)</script> | ``` \n# Heading [a](javascript:1)';
const found = (over: Partial<FileFindings> = {}): FileFindings => ({
  file: 'a.csv',
  failure: null,
  partial: '',
  profile: profile('a.csv', [column('city', 'category', { top: [[evil, 3]] }), column(evil, 'number')], {
    charts: [{ path: 'final/a-by-city.png', title: 'By city' }],
  }),
  entries: [
    {
      id: 1,
      reading: 'rows by city',
      part: null,
      answer: {
        id: 1,
        op: 'groups',
        text: 'Bonn (7)',
        columns: ['city'],
        tables: [
          { title: 'rows by city', columns: ['city', 'rows'], rows: [[evil, 7]], code: "df['city'].value_counts()" },
        ],
        chart: null,
      },
    },
  ],
  ...over,
});
const written = (findings: readonly FileFindings[], over: Partial<Parameters<typeof report>[0]> = {}) =>
  report(
    situation({
      kind: 'writer',
      brief: 'Which city has most rows? Why is that?',
      attachments: [attachment('a.csv')],
      artifacts: ['final/a-by-city.png'],
      results: [{ agent: 'a1', role: 'analyst', task: '', outcome: 'done', text: encode('summary', findings) }],
      ...over,
    }),
  );

test('a report discloses the AI, quotes the brief, and shows answer, file, column, code and chart', () => {
  const text = written([found()]);
  for (const part of [
    DISCLOSURE,
    '> Which city has most rows?',
    '**Answer:** Bonn (7)',
    '`a.csv`',
    '`city`',
    "df['city'].value_counts()",
    '![By city](a-by-city.png)',
  ])
    assert.ok(text.includes(part), part);
});

test('a question that no rule answers stands there with the words that it needs a model', () => {
  const section = written([found()]).split('### 2. Why is that?')[1] ?? '';
  assert.ok(section.trim().startsWith(NEEDS_MODEL));
});

test('what a file holds stays text: no image, link, tag, heading or table cell comes of it', () => {
  const text = written([found()])
    .replace(/^(`{3,})[\s\S]*?^\1$/gm, '')
    .replace(/`[^`\n]*`/g, '');
  assert.not.match(text, /<script|<\/td>/);
  assert.not.match(text, /(?<!\\)!\[x|(?<!\\)\]\(http|(?<!\\)\]\(javascript/);
  assert.not.match(text, /^# Heading/m);
});

test('a chart that was not handed over is named, not linked', () => {
  const text = written([found()], { artifacts: [] });
  assert.not.match(text, /!\[By city\]/);
  assert.match(text, /`final\/a-by-city\.png` was drawn but not handed over/);
});

test('an agent that failed and the file that it had are named', () => {
  const text = written([], {
    results: [{ agent: 'a1', role: 'analyst', task: '', outcome: 'failed', text: 'out of memory' }],
  });
  assert.match(text, /0 of 1 agents finished/);
  assert.match(text, /failed \(out of memory\)/);
  assert.match(text, /### a\.csv\n\nNothing is known of this file/);
});

test('a file that could not be profiled says why, and its question too', () => {
  const text = written([found({ profile: null, failure: 'no Docker engine answers', entries: [] })]);
  assert.match(text, /could not be profiled: no Docker engine answers/);
  assert.match(text, /could not be read for it: no Docker engine answers/);
});

test('findings come back as they went, and stay within their budget', () => {
  assert.equal(decode(encode('a ``` b', [found()])), [found()]);
  const wide = found({
    profile: profile(
      'a.csv',
      Array.from({ length: 900 }, (_, at) => column(`column ${at} ${'x'.repeat(40)}`, 'number')),
    ),
  });
  const text = encode('', [wide, wide, wide]);
  assert.ok(text.length < 25_000);
  assert.is(decode(text).length, 3);
  assert.equal(decode('no findings here'), []);
});

test('escaped text is one line without live markup, whatever goes in', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (value) => {
      assert.not.match(plain(value), /[\n\r<]|(?<!\\)[`[\]|*]/);
      assert.not.match(code(value).slice(1, -1), /[`\n]/);
      assert.is(grid(['a', 'b'], [[value, 1]]).split('\n').length, 3);
      assert.is(block(value).split('\n').at(-1), (/^`+/.exec(block(value)) ?? [''])[0]);
    }),
  );
});

test.run();
