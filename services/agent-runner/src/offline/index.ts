import type { Message, ModelPort, ModelReply, ModelRequest } from '@loom/models';
import { HONEST } from './findings.ts';
import { plan } from './planner.ts';
import type { Reply } from './reply.ts';
import { work } from './worker.ts';
import { write } from './writer.ts';

const NAME = 'offline-rules-1';

const called = (messages: readonly Message[]): boolean => messages.some((message) => message.role === 'tool');

function decide({ messages, situation }: ModelRequest): Reply {
  switch (situation.kind) {
    case 'planner':
      return called(messages) ? { text: `${HONEST} The plan was handed in.`, calls: [] } : plan(situation);
    case 'worker':
      return work(messages, situation);
    case 'writer':
      return write(messages, situation);
  }
}

/** The same request always gives the same reply; nothing is sent anywhere and nothing is paid. */
function reply(request: ModelRequest): ModelReply {
  const { text, calls } = decide(request);
  return {
    text,
    calls,
    usage: { input: 0, cached: 0, output: 0 },
    model: NAME,
    requestId: null,
    stopReason: calls.length > 0 ? 'tools' : 'end',
  };
}

/** The model that is none: rules that plan, write and run real code, and say so in every text. */
export function offline(): ModelPort {
  return {
    provider: 'offline',
    body: (request) => Buffer.from(JSON.stringify(request)),
    call: (request, { signal, onDelta }) => {
      signal.throwIfAborted();
      const made = reply(request);
      onDelta(made.text);
      return Promise.resolve(made);
    },
  };
}
