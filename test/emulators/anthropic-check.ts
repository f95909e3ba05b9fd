import { dictionary, exactly, flag, list, objectSchema, record, refuse, tagged, text, textOr, whole } from './check.ts';
import type { Asked, Turn } from './script.ts';

const cache = record({ type: exactly('ephemeral'), 'ttl?': exactly('5m', '1h') });
const filled = text({ min: 1 });
const words = record({ type: exactly('text'), text: filled, 'cache_control?': cache });
const toolId = text({ pattern: /^[a-zA-Z0-9_-]+$/ });
const toolName = text({ pattern: /^[a-zA-Z0-9_-]{1,128}$/ });
const use = record({
  type: exactly('tool_use'),
  id: toolId,
  name: toolName,
  input: dictionary,
  'cache_control?': cache,
});
const result = record({
  type: exactly('tool_result'),
  tool_use_id: toolId,
  'content?': textOr(list(tagged({ text: words }))),
  'is_error?': flag,
  'cache_control?': cache,
});

const user = record({
  role: exactly('user'),
  content: textOr(list(tagged({ text: words, tool_result: result }), 1), filled),
});
const assistant = record({
  role: exactly('assistant'),
  content: textOr(list(tagged({ text: words, tool_use: use }), 1), filled),
});
const tool = record({
  'type?': exactly('custom'),
  name: toolName,
  'description?': text(),
  input_schema: objectSchema,
  'cache_control?': cache,
});

const shape = record({
  model: text({ min: 1, max: 256 }),
  max_tokens: whole(1, 128_000),
  messages: list(
    (value, path) => ((value as { role?: unknown } | null)?.role === 'assistant' ? assistant : user)(value, path),
    1,
  ),
  'system?': textOr(list(words)),
  'tools?': list(tool),
  'tool_choice?': tagged({
    auto: record({ type: exactly('auto'), 'disable_parallel_tool_use?': flag }),
    none: record({ type: exactly('none') }),
  }),
  'metadata?': record({ 'user_id?': text({ max: 256 }) }),
  'stop_sequences?': list(text({ min: 1 })),
  stream: exactly(true),
});

interface Block {
  readonly type: string;
  readonly text?: string;
  readonly id?: string;
  readonly name?: string;
  readonly input?: unknown;
  readonly tool_use_id?: string;
  readonly content?: unknown;
  readonly cache_control?: unknown;
}
interface Body {
  readonly model: string;
  readonly max_tokens: number;
  readonly system?: string | readonly Block[];
  readonly tools?: readonly { readonly name: string; readonly cache_control?: unknown }[];
  readonly messages: readonly { readonly role: 'user' | 'assistant'; readonly content: string | readonly Block[] }[];
}

/** @throws Refusal when the body breaks the published schema of `POST /v1/messages` (version 2026-10-21, which has no sampling parameters). */
export function checkMessages(value: unknown): Asked {
  shape(value, '');
  const body = value as Body;
  checkTools(body);
  checkTurns(body);
  checkPairs(body);
  return {
    model: body.model,
    maxTokens: body.max_tokens,
    system: plain(body.system ?? ''),
    tools: (body.tools ?? []).map(({ name }) => name),
    turns: body.messages.flatMap(turnsOf),
  };
}

/** The API itself would join neighbours of one role; alternation is what Loom promises, so it is held here. */
function checkTurns({ messages }: Body): void {
  messages.forEach(({ role }, at) => {
    if (role !== (at % 2 === 0 ? 'user' : 'assistant'))
      refuse(`messages.${at}.role`, 'roles must alternate between "user" and "assistant", beginning with "user"');
  });
  const last = messages.at(-1);
  if (last?.role === 'assistant')
    refuse(
      `messages.${messages.length - 1}`,
      'This model does not support assistant message prefill. The conversation must end with a user message.',
    );
}

function checkTools({ tools = [], system = [], messages }: Body): void {
  tools.forEach(({ name }, at) => {
    if (tools.findIndex((other) => other.name === name) !== at) refuse('tools', 'Tool names must be unique.');
  });
  const blocks = [...tools, ...blocksOf(system), ...messages.flatMap(({ content }) => blocksOf(content))];
  if (blocks.filter(({ cache_control: mark }) => mark !== undefined).length > 4)
    refuse('', 'A maximum of 4 blocks with cache_control may be provided.');
  const used = messages.some(({ content }) => blocksOf(content).some(({ type }) => type === 'tool_use'));
  if (used && tools.length === 0)
    refuse('tools', 'Requests which include `tool_use` or `tool_result` blocks must define tools.');
}

/** Every `tool_use` is answered by one `tool_result` in the next message, ahead of any text, and no result stands alone. */
function checkPairs({ messages }: Body): void {
  messages.forEach(({ role, content }, at) => {
    if (role !== 'user') return;
    const before =
      at === 0
        ? []
        : blocksOf(messages[at - 1]?.content ?? '').flatMap(({ type, id }) =>
            type === 'tool_use' ? [String(id)] : [],
          );
    const blocks = blocksOf(content);
    const results = blocks.flatMap(({ type, tool_use_id: id }) => (type === 'tool_result' ? [String(id)] : []));
    const missing = before.filter((id) => !results.includes(id));
    if (missing.length > 0)
      refuse(
        `messages.${at - 1}`,
        `\`tool_use\` ids were found without \`tool_result\` blocks immediately after: ${missing.join(', ')}`,
      );
    const stray = results.filter((id, nth) => !before.includes(id) || results.indexOf(id) !== nth);
    if (stray.length > 0)
      refuse(
        `messages.${at}.content`,
        `unexpected \`tool_use_id\` found in \`tool_result\` blocks: ${stray.join(', ')}`,
      );
    if (results.length > 0 && blocks.slice(0, results.length).some(({ type }) => type !== 'tool_result'))
      refuse(`messages.${at}.content`, 'tool_result blocks must come first');
  });
}

const blocksOf = (content: string | readonly Block[]): readonly Block[] =>
  typeof content === 'string' ? [{ type: 'text', text: content }] : content;

const plain = (content: unknown): string =>
  typeof content === 'string'
    ? content
    : ((content ?? []) as readonly Block[]).map((block) => block.text ?? '').join('');

function turnsOf({ role, content }: Body['messages'][number]): Turn[] {
  const blocks = blocksOf(content);
  const said = plain(blocks);
  if (role === 'assistant') {
    const calls = blocks.flatMap(({ type, id, name, input }) =>
      type === 'tool_use' ? [{ id: String(id), name: String(name), args: JSON.stringify(input) }] : [],
    );
    return [{ role, text: said, calls }];
  }
  const results = blocks.flatMap(({ type, tool_use_id: id, content: inner }) =>
    type === 'tool_result' ? [{ id: String(id), text: plain(inner) }] : [],
  );
  return [
    ...(results.length > 0 ? [{ role: 'tool', results } as const] : []),
    ...(said === '' ? [] : [{ role: 'user', text: said } as const]),
  ];
}
