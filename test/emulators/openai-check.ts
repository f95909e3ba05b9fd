import { exactly, flag, list, objectSchema, record, refuse, tagged, text, textOr, whole } from './check.ts';
import type { Asked, Turn } from './script.ts';

const name = text({ pattern: /^[a-zA-Z0-9_-]{1,64}$/ });
const callId = text({ min: 1, max: 64 });
const status = exactly('in_progress', 'completed', 'incomplete');
const input = list(tagged({ input_text: record({ type: exactly('input_text'), text: text() }) }), 1);
const output = list(
  tagged({
    output_text: record({ type: exactly('output_text'), text: text(), 'annotations?': list(() => undefined) }),
    refusal: record({ type: exactly('refusal'), refusal: text() }),
  }),
  1,
);

const message: (value: unknown, path: string) => void = (value, path) => {
  const content = (value as { role?: unknown }).role === 'assistant' ? output : input;
  record({
    'type?': exactly('message'),
    role: exactly('user', 'assistant', 'system', 'developer'),
    content: textOr(content),
    'status?': status,
    'id?': text(),
  })(value, path);
};
const items = tagged({
  undefined: message,
  message,
  function_call: record({
    type: exactly('function_call'),
    call_id: callId,
    name,
    arguments: text(),
    'id?': text(),
    'status?': status,
  }),
  function_call_output: record({
    type: exactly('function_call_output'),
    call_id: callId,
    output: textOr(input),
    'id?': text(),
    'status?': status,
  }),
});
const tool = record({
  type: exactly('function'),
  name,
  'description?': text(),
  parameters: objectSchema,
  strict: flag,
});

const shape = record({
  model: text({ min: 1 }),
  input: textOr(list(items, 1)),
  'instructions?': text(),
  'tools?': list(tool),
  'tool_choice?': exactly('auto', 'none'),
  'parallel_tool_calls?': flag,
  'max_output_tokens?': whole(16, 128_000),
  /** The API would take true as well; Loom asks providers to keep nothing, and this is where that is held. */
  store: exactly(false),
  'temperature?': (value, path) =>
    typeof value === 'number' && value >= 0 && value <= 2 ? undefined : refuse(path, 'must be from 0 to 2'),
  'reasoning?': record({ 'effort?': exactly('none', 'minimal', 'low', 'medium', 'high', 'xhigh') }),
  'metadata?': record({}),
  'include?': list(exactly('reasoning.encrypted_content')),
  stream: exactly(true),
});

interface Item {
  readonly type?: string;
  readonly role?: string;
  readonly content?: unknown;
  readonly call_id?: string;
  readonly name?: string;
  readonly arguments?: string;
  readonly output?: unknown;
}
interface Body {
  readonly model: string;
  readonly instructions?: string;
  readonly input: string | readonly Item[];
  readonly tools?: readonly { readonly name: string }[];
  readonly max_output_tokens?: number;
}

/** @throws Refusal when the body breaks the published schema of `POST /v1/responses`. */
export function checkResponses(value: unknown): Asked {
  shape(value, '');
  const body = value as Body;
  const list_ = typeof body.input === 'string' ? [{ role: 'user', content: body.input }] : body.input;
  checkPairs(list_);
  return {
    model: body.model,
    system: body.instructions ?? '',
    maxTokens: body.max_output_tokens ?? 128_000,
    tools: (body.tools ?? []).map((one) => one.name),
    turns: turnsOf(list_),
  };
}

/** Every call has its output after it, every output its call before it, each once. */
function checkPairs(list_: readonly Item[]): void {
  const open = new Set<string>();
  list_.forEach(({ type, call_id: id = '' }, at) => {
    if (type === 'function_call' && open.has(id)) refuse(`input[${at}].call_id`, `Duplicate call_id ${id}.`);
    if (type === 'function_call') open.add(id);
    if (type === 'function_call_output' && !open.delete(id))
      refuse(`input[${at}]`, `No tool call found for function call output with call_id ${id}.`);
  });
  const [unanswered] = open;
  if (unanswered !== undefined) refuse('input', `No tool output found for function call ${unanswered}.`);
}

const plain = (content: unknown): string =>
  typeof content === 'string'
    ? content
    : ((content ?? []) as readonly { readonly text?: string }[]).map((part) => part.text ?? '').join('');

/** Items in a row that belong to one turn become one: calls to the assistant's words before them, outputs to each other. */
function turnsOf(list_: readonly Item[]): Turn[] {
  const turns: Turn[] = [];
  for (const item of list_) {
    const last = turns.at(-1);
    const turn = turnOf(item);
    if (turn.role === 'assistant' && last?.role === 'assistant')
      turns[turns.length - 1] = {
        role: 'assistant',
        text: last.text + turn.text,
        calls: [...last.calls, ...turn.calls],
      };
    else if (turn.role === 'tool' && last?.role === 'tool')
      turns[turns.length - 1] = { role: 'tool', results: [...last.results, ...turn.results] };
    else turns.push(turn);
  }
  return turns;
}

function turnOf(item: Item): Turn {
  if (item.type === 'function_call')
    return {
      role: 'assistant',
      text: '',
      calls: [{ id: item.call_id ?? '', name: item.name ?? '', args: item.arguments ?? '' }],
    };
  if (item.type === 'function_call_output')
    return { role: 'tool', results: [{ id: item.call_id ?? '', text: plain(item.output) }] };
  return item.role === 'assistant'
    ? { role: 'assistant', text: plain(item.content), calls: [] }
    : { role: 'user', text: plain(item.content) };
}
