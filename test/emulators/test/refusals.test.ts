import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { anthropicEmulator } from '../anthropic.ts';
import { openaiEmulator } from '../openai.ts';
import type { Emulator } from '../script.ts';

const answers = () => ({ text: 'hello' });
let anthropic: Emulator;
let openai: Emulator;

test.before(async () => {
  anthropic = await anthropicEmulator({ script: answers });
  openai = await openaiEmulator({ script: answers });
});
test.after(async () => {
  await anthropic[Symbol.asyncDispose]();
  await openai[Symbol.asyncDispose]();
});

interface Problem {
  readonly status: number;
  readonly type: string;
  readonly message: string;
}

async function post(url: string, body: unknown, headers: Readonly<Record<string, string>>): Promise<Problem> {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  });
  if (response.ok) return { status: response.status, type: '', message: await response.text() };
  const { error } = (await response.json()) as { error: { type: string; message: string } };
  return { status: response.status, ...error };
}

const version = { 'anthropic-version': '2026-10-21' };
const messages = (
  change: object,
  headers: Readonly<Record<string, string>> = { 'x-api-key': 'k', ...version },
): Promise<Problem> =>
  post(
    `${anthropic.url}/v1/messages`,
    { model: 'm', max_tokens: 10, stream: true, messages: [{ role: 'user', content: 'hi' }], ...change },
    headers,
  );
const responses = (
  change: object,
  headers: Readonly<Record<string, string>> = { authorization: 'Bearer k' },
): Promise<Problem> =>
  post(`${openai.url}/responses`, { model: 'm', input: 'hi', store: false, stream: true, ...change }, headers);

const tool = { name: 'run', description: '', input_schema: { type: 'object', properties: {} } };
const use = { role: 'assistant', content: [{ type: 'tool_use', id: 't1', name: 'run', input: {} }] };
const result = (id: string) => ({ role: 'user', content: [{ type: 'tool_result', tool_use_id: id, content: 'ok' }] });
const hi = { role: 'user', content: 'hi' };

test('Anthropic: a request that fits is answered by the events of a message', async () => {
  const { status, message } = await messages({ messages: [hi, use, result('t1')], tools: [tool] });
  const events = [...message.matchAll(/^event: (.+)$/gm)].map(([, name]) => name);
  assert.is(status, 200);
  assert.equal(events, [
    'message_start',
    'ping',
    'content_block_start',
    'content_block_delta',
    'content_block_stop',
    'message_delta',
    'message_stop',
  ]);
});

test('Anthropic: what breaks the published schema is refused where it breaks it', async () => {
  const cases: readonly (readonly [object, string])[] = [
    [{ temperature: 0.5 }, 'temperature: Extra inputs are not permitted'],
    [{ max_tokens: undefined }, 'max_tokens: Field required'],
    [{ max_tokens: 0 }, 'max_tokens'],
    [{ messages: [] }, 'messages'],
    [{ messages: [hi, hi] }, 'roles must alternate'],
    [{ messages: [hi, { role: 'assistant', content: 'Sure:' }] }, 'prefill'],
    [{ messages: [{ role: 'user', content: '' }] }, 'messages.0.content'],
    [
      { messages: [{ role: 'user', content: [{ type: 'text', text: 'x', colour: 1 }] }] },
      'messages.0.content.0.colour',
    ],
    [{ messages: [hi, use, hi], tools: [tool] }, 'without `tool_result` blocks immediately after: t1'],
    [{ messages: [hi, use, result('t2')], tools: [tool] }, 't1'],
    [{ messages: [result('t1')], tools: [tool] }, 'unexpected `tool_use_id`'],
    [{ messages: [hi, use, result('t1')] }, 'must define tools'],
    [{ tools: [{ ...tool, input_schema: { type: 'array' } }] }, 'tools.0.input_schema.type'],
    [{ tools: [tool, tool] }, 'unique'],
    [{ tools: [{ ...tool, name: 'no spaces' }] }, 'tools.0.name'],
  ];
  for (const [change, part] of cases) {
    const { status, type, message } = await messages(change);
    assert.equal([status, type], [400, 'invalid_request_error'], part);
    assert.match(message, part);
  }
});

test('Anthropic: no key, or no version, is refused', async () => {
  assert.is((await messages({}, version)).type, 'authentication_error');
  assert.is((await messages({}, { 'x-api-key': 'k' })).status, 400);
  assert.is((await messages({}, { authorization: 'Bearer k', ...version })).status, 200);
});

const fn = { type: 'function', name: 'run', parameters: { type: 'object', properties: {} }, strict: false };
const call = { type: 'function_call', call_id: 'c1', name: 'run', arguments: '{}' };
const output = (id: string) => ({ type: 'function_call_output', call_id: id, output: 'ok' });

test('OpenAI: a request that fits is answered by the events of a response, numbered', async () => {
  const { status, message } = await responses({ input: [hi, call, output('c1')], tools: [fn] });
  const numbers = [...message.matchAll(/"sequence_number":(\d+)/g)].map(([, n]) => Number(n));
  assert.is(status, 200);
  assert.match(message, 'event: response.created');
  assert.match(message, 'event: response.completed');
  assert.equal(
    numbers,
    numbers.map((_, at) => at),
  );
});

test('OpenAI: what breaks the published schema is refused where it breaks it', async () => {
  const cases: readonly (readonly [object, string])[] = [
    [{ store: undefined }, 'store: Field required'],
    [{ store: true }, 'store'],
    [{ messages: [hi] }, 'messages: Extra inputs'],
    [{ max_output_tokens: 1 }, 'max_output_tokens'],
    [{ tools: [{ name: 'run' }] }, 'tools.0'],
    [{ tools: [{ ...fn, strict: undefined }] }, 'tools.0.strict'],
    [{ input: [hi, call] }, 'No tool output found for function call c1'],
    [{ input: [hi, output('c1')] }, 'No tool call found for function call output with call_id c1'],
    [{ input: [hi, call, output('c1'), output('c1')] }, 'No tool call found'],
    [{ input: [{ role: 'robot', content: 'x' }] }, 'input.0.role'],
    [{ input: [{ type: 'tool_use' }] }, "Input tag 'tool_use'"],
  ];
  for (const [change, part] of cases) {
    const { status, type, message } = await responses(change);
    assert.equal([status, type], [400, 'invalid_request_error'], part);
    assert.match(message, part);
  }
});

test('OpenAI: no key is refused', async () => {
  assert.is((await responses({}, {})).status, 401);
});

test('refused requests are in the ledger, with why', async () => {
  await using emulator = await anthropicEmulator({ script: answers });
  await post(`${emulator.url}/v1/messages`, {}, { 'x-api-key': 'k', ...version });
  assert.match(emulator.ledger[0]?.refusal ?? '', 'model: Field required');
  assert.is(emulator.ledger[0]?.tokensIn, 0);
});

test.run();
