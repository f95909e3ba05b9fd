import { ModelFailure } from '@loom/models';
import type { ModelPort, ModelReply, ModelRequest } from '@loom/models';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { anthropicEmulator } from '../../../../test/emulators/anthropic.ts';
import { openaiEmulator } from '../../../../test/emulators/openai.ts';
import type { Emulator, Reply, Script } from '../../../../test/emulators/script.ts';
import { anthropic } from '../../src/models/anthropic.ts';
import { openai } from '../../src/models/openai.ts';
import { request } from './request.ts';

const providers: readonly {
  readonly name: string;
  readonly emulate: (options: { script: Script }) => Promise<Emulator>;
  readonly port: (url: string) => ModelPort;
}[] = [
  { name: 'Anthropic', emulate: anthropicEmulator, port: (baseUrl) => anthropic({ apiKey: 'key', baseUrl }) },
  { name: 'OpenAI', emulate: openaiEmulator, port: (baseUrl) => openai({ apiKey: 'key', baseUrl }) },
];

interface Tried {
  readonly reply: ModelReply | null;
  readonly failure: ModelFailure['detail'] | null;
  readonly deltas: readonly string[];
  readonly emulator: Emulator;
}

async function attempt(
  provider: (typeof providers)[number],
  script: Script,
  asked: ModelRequest,
  signal: AbortSignal,
  heard: () => void = () => undefined,
): Promise<Tried> {
  await using emulator = await provider.emulate({ script });
  const deltas: string[] = [];
  const onDelta = (text: string): void => {
    deltas.push(text);
    heard();
  };
  const tried = provider.port(emulator.url).call(asked, { signal, onDelta });
  const reply = await tried.catch((error: unknown) => error);
  if (reply instanceof ModelFailure) return { reply: null, failure: reply.detail, deltas, emulator };
  if (reply instanceof Error) throw reply;
  return { reply: reply as ModelReply, failure: null, deltas, emulator };
}

const never = new AbortController().signal;
const answer =
  (reply: Reply): Script =>
  () =>
    reply;

for (const provider of providers) {
  const { name } = provider;
  const failing = async (reply: Reply, signal = never) =>
    (await attempt(provider, answer(reply), request(), signal)).failure;

  test(`${name}: an answer comes with its text, the same text in deltas, its tokens and its request id`, async () => {
    const text = 'Sections by count: libs 1,234 — ünïcode 🧵, and more than one piece of it.';
    const { reply, deltas, emulator } = await attempt(
      provider,
      answer({ text, usage: { input: 100, cached: 40, output: 7 } }),
      request(),
      never,
    );
    assert.is(reply?.text, text);
    assert.is(deltas.join(''), text);
    assert.ok(deltas.length > 1);
    assert.equal(reply?.usage, { input: 100, cached: 40, written: 0, output: 7 });
    assert.is(reply?.stopReason, 'end');
    assert.is(reply?.requestId, emulator.ledger[0]?.requestId);
    assert.is(reply?.model, 'some-model');
  });

  test(`${name}: calls of several tools in one answer come in order, with arguments as written`, async () => {
    const calls = [
      { name: 'run_code', args: { language: 'python', code: 'print("é")\n' } },
      { name: 'list_files', args: {} },
    ];
    const { reply } = await attempt(provider, answer({ text: 'Two at once.', calls }), request(), never);
    assert.is(reply?.stopReason, 'tools');
    assert.equal(
      reply?.calls.map((call) => ({ name: call.name, args: JSON.parse(call.args) as unknown })),
      calls,
    );
    assert.is(new Set(reply?.calls.map(({ id }) => id)).size, 2);
  });

  test(`${name}: a conversation with tool results, failures and additions is one that the provider takes`, async () => {
    const first = await attempt(
      provider,
      answer({
        calls: [
          { name: 'run_code', args: { code: '1' } },
          { name: 'run_code', args: { code: '2' } },
        ],
      }),
      request(),
      never,
    );
    const calls = first.reply?.calls ?? [];
    const results = calls.map(({ id, name: tool }, at) => ({
      id,
      name: tool,
      text: at === 0 ? '' : 'boom',
      failed: at === 1,
    }));
    const messages = [
      ...request().messages,
      { role: 'assistant', text: '', calls } as const,
      { role: 'tool', results } as const,
      { role: 'user', text: 'And mind the odd rows.' } as const,
    ];
    const { reply, failure, emulator } = await attempt(
      provider,
      answer({ text: 'done' }),
      { ...request(), messages },
      never,
    );
    assert.is(failure, null);
    assert.is(reply?.text, 'done');
    assert.equal(
      emulator.ledger[0]?.asked?.turns.map(({ role }) => role),
      ['user', 'assistant', 'tool', 'user'],
    );
  });

  test(`${name}: the bytes that go on record are the bytes that are sent, and the provider is asked once`, async () => {
    const asked = request();
    const { emulator } = await attempt(provider, answer({ fault: 'server_error' }), asked, never);
    assert.is(emulator.ledger.length, 1);
    assert.is(emulator.ledger[0]?.body, Buffer.from(provider.port('http://127.0.0.1:1').body(asked)).toString());
  });

  test(`${name}: a refusal is an answer whose stop reason says so`, async () => {
    const { reply } = await attempt(
      provider,
      answer({ text: 'I cannot help with that.', stop: 'refusal' }),
      request(),
      never,
    );
    assert.is(reply?.stopReason, 'refusal');
    assert.is(reply?.text, 'I cannot help with that.');
  });

  test(`${name}: an answer that runs out of tokens says so`, async () => {
    const { reply } = await attempt(provider, answer({ text: 'half of', stop: 'length' }), request(), never);
    assert.is(reply?.stopReason, 'length');
  });

  test(`${name}: too many requests is rate_limited, with the wait that was asked for`, async () => {
    const failed = await failing({ fault: 'rate_limited', retryAfterSeconds: 7 });
    assert.is(failed?.failure, 'rate_limited');
    assert.is(failed?.retryAfterMs, 7000);
    assert.is(failed?.usage, null);
    assert.match(failed?.requestId ?? '', /^req_/);
  });

  test(`${name}: overload and server errors are transient and cost nothing`, async () => {
    for (const fault of ['overloaded', 'server_error'] as const) {
      const failed = await failing({ fault });
      assert.is(failed?.failure, 'transient', fault);
      assert.is(failed?.usage, null);
    }
  });

  test(`${name}: a wrong key is terminal`, async () => {
    assert.equal([(await failing({ fault: 'unauthorized' }))?.code], ['unauthorized']);
    assert.is((await failing({ fault: 'unauthorized' }))?.failure, 'terminal');
  });

  test(`${name}: a stream that is cut, garbled or ends in an error is transient, and what came counts`, async () => {
    for (const fault of ['cut', 'malformed', 'error_event'] as const) {
      const failed = await failing({ fault, text: 'a text of some length '.repeat(20) });
      assert.is(failed?.failure, 'transient', `${fault} ${failed?.code}`);
      assert.ok((failed?.usage?.input ?? 0) > 0, fault);
      assert.ok((failed?.usage?.output ?? 0) > 10, fault);
    }
  });

  test(`${name}: a request that breaks the schema is terminal`, async () => {
    const { failure, emulator } = await attempt(
      provider,
      answer({ text: '' }),
      { ...request(), maxTokens: 1_000_000 },
      never,
    );
    assert.is(failure?.failure, 'terminal');
    assert.is(emulator.ledger[0]?.status, 400);
  });

  test(`${name}: an answer without end is given up after 10 MB`, async () => {
    const failed = await failing({ fault: 'endless' });
    assert.is(failed?.code, 'answer_too_large');
  });

  test(`${name}: a call that takes longer than its deadline is a time-out, before and within the answer`, async () => {
    const before = await failing({ fault: 'slow', ms: 60_000 }, AbortSignal.timeout(100));
    assert.equal([before?.failure, before?.code], ['transient', 'timeout']);
    const within = await failing({ text: 'slowly '.repeat(400), pauseMs: 20 }, AbortSignal.timeout(300));
    assert.equal([within?.failure, within?.code], ['transient', 'timeout']);
  });

  test(`${name}: an abort ends the call and says what was counted`, async () => {
    const kill = new AbortController();
    const script = answer({ text: 'word '.repeat(1000), pauseMs: 10 });
    const { failure } = await attempt(provider, script, request(), kill.signal, () => kill.abort(new Error('killed')));
    assert.is(failure?.code, 'aborted');
    assert.ok((failure?.usage?.input ?? 0) > 0);
  });

  test(`${name}: nobody listening is transient`, async () => {
    const failed = await provider
      .port('http://127.0.0.1:9/v1')
      .call(request(), { signal: never, onDelta: () => undefined })
      .catch((error: unknown) => error);
    assert.instance(failed, ModelFailure);
    assert.equal(
      [(failed as ModelFailure).detail.failure, (failed as ModelFailure).detail.code],
      ['transient', 'connection_failed'],
    );
  });
}

test.run();
