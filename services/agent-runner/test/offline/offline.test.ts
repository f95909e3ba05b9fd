import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Message, Situation } from '@loom/models';
import { decode } from '../../src/offline/findings.ts';
import { answered, attachment, column, profile, ran, situation, step } from './support.ts';

const files = ['a.csv', 'b.csv'];
const brief = 'Which city has the most rows? Why?';
const worker = situation({ brief, attachments: files.map(attachment), files: ['a.csv'] });
const shape = profile('a.csv', [column('city', 'category'), column('price', 'number')]);
const answers = {
  phase: 'answer',
  file: 'a.csv',
  rows: 100,
  stopped: null,
  answers: [
    {
      id: 1,
      op: 'groups',
      text: 'Most: Bonn (7).',
      columns: ['city'],
      chart: null,
      tables: [{ title: 'rows by city', columns: ['city', 'rows'], rows: [['Bonn', 7]], code: 'x' }],
    },
  ],
};
const argsOf = (args: string | undefined) =>
  JSON.parse(args ?? '{}') as {
    code: string;
    files: string[];
    agents: { files: string[]; required: boolean }[];
    path: string;
    content: string;
  };
const phase = (code: string) => /: (\w+ \w+) /.exec(code.split('\n')[0] ?? '')?.[1];

/** Runs a worker to its end; `give` answers each program. */
async function finish(
  of: Situation,
  give: (code: string) => { text: string; failed: boolean },
): Promise<{ text: string; phases: (string | undefined)[] }> {
  const messages: Message[] = [];
  const phases: (string | undefined)[] = [];
  for (;;) {
    const reply = await step(of, messages);
    if (reply.calls.length === 0) return { text: reply.text, phases };
    assert.ok(phases.length < 12);
    messages.push(
      ...answered(reply, (code) => {
        phases.push(phase(code));
        return give(code);
      }),
    );
  }
}

test('the plan gives each file its own analyst, none of them required when there are several', async () => {
  const reply = await step(situation({ kind: 'planner', attachments: files.map(attachment) }));
  assert.is(reply.calls[0]?.name, 'submit_plan');
  assert.equal(
    argsOf(reply.calls[0]?.args).agents.map((agent) => [agent.files, agent.required]),
    [
      [['a.csv'], false],
      [['b.csv'], false],
    ],
  );
  assert.match(reply.text, /no language model/);
});

test('fifty files are dealt to six analysts and none is lost', async () => {
  const names = Array.from({ length: 50 }, (_, at) => `f${at}.csv`);
  const reply = await step(situation({ kind: 'planner', attachments: names.map(attachment) }));
  const { agents } = argsOf(reply.calls[0]?.args);
  assert.is(agents.length, 6);
  assert.equal(agents.flatMap((agent) => agent.files).toSorted(), names.toSorted());
});

test('a brief without files ends with the words that it needs a model', async () => {
  const reply = await step(situation({ brief }));
  assert.equal(reply.calls, []);
  assert.match(reply.text, /needs a model/);
});

test('an analyst profiles, then computes the answers, then hands both over', async () => {
  const { text, phases } = await finish(worker, (code) => ran(phase(code) === 'profile whole' ? shape : answers));
  assert.equal(phases, ['profile whole', 'answer whole']);
  const [found] = decode(text);
  assert.is(found?.profile?.rows, 100);
  assert.is(found?.entries[0]?.answer?.text, 'Most: Bonn (7).');
  assert.equal(
    found?.entries.map(({ id }) => id),
    [1],
  );
});

test('a run that met a limit is tried once more and more cheaply', async () => {
  const { text, phases } = await finish(worker, () => ({
    text: 'The run took longer than 30 s and was stopped (timeout).',
    failed: true,
  }));
  assert.equal(phases, ['profile whole', 'profile cheap']);
  assert.match(decode(text)[0]?.failure ?? '', /30 s/);
});

test('a sandbox that is not there is named and not asked again', async () => {
  const { text, phases } = await finish(worker, () => ({
    text: 'sandbox_unavailable: no Docker engine answers',
    failed: true,
  }));
  assert.equal(phases, ['profile whole']);
  assert.match(decode(text)[0]?.failure ?? '', /no Docker engine/);
});

test('output that is no document counts as a failure, not as an answer', async () => {
  const { text } = await finish(worker, () => ({ text: 'exit code 0\n--- stdout\nhello', failed: false }));
  assert.is(decode(text)[0]?.profile, null);
});

test('the same conversation always gives the same reply, at no cost', async () => {
  const one = await step(worker);
  assert.equal(await step(worker), one);
  assert.equal(one.usage, { input: 0, cached: 0, output: 0 });
});

test('file names reach Python as data, whatever is in them', async () => {
  const name = `a"; import os #\n'''😀.csv`;
  const reply = await step(situation({ attachments: [attachment(name)], files: [name] }));
  const { code, files: given } = argsOf(reply.calls[0]?.args);
  assert.equal(given, [name]);
  assert.match(code.split('\n')[0] ?? '', /^# Loom offline mode/);
  assert.not.match(code, /^ *import os #/m);
  assert.match(code, /\\\\ud83d\\\\ude00/);
});

test('the writer writes one report, then ends with a short message', async () => {
  const of = situation({ kind: 'writer', brief });
  const reply = await step(of);
  assert.is(argsOf(reply.calls[0]?.args).path, 'final/report.md');
  const last = await step(
    of,
    answered(reply, () => ({ text: 'written', failed: false })),
  );
  assert.equal(last.calls, []);
  assert.match(last.text, /final\/report\.md/);
});

test.run();
