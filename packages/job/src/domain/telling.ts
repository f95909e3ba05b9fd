/**
 * What an agent's turns say to its model, message by message.
 * Owns nothing but messages and their weight: taking one turn more costs as much as that turn, however long the conversation is.
 */
import type { Message } from '@loom/models';
import { nudges } from '../templates.ts';
import type { Agent, Job, Turn } from './state.ts';

export class Telling {
  readonly messages: Message[];
  /** Of the messages as JSON, without what stands between them. */
  bytes: number;
  /** How many turns were taken. */
  turns = 0;
  #last: Turn | null = null;
  /** What people added up to this sequence is told. */
  #heard = -Infinity;

  constructor(messages: readonly Message[], bytes = sizeOf(messages)) {
    this.messages = [...messages];
    this.bytes = bytes;
  }

  copy(): Telling {
    const copy = new Telling(this.messages, this.bytes);
    copy.turns = this.turns;
    copy.#last = this.#last;
    copy.#heard = this.#heard;
    return copy;
  }

  /** Whether it tells nothing but the first of these turns. */
  begins(turns: readonly Turn[]): boolean {
    return this.turns <= turns.length && (turns[this.turns - 1] ?? null) === this.#last;
  }

  take(job: Job, agent: Agent, turn: Turn): void {
    this.hear(job, turn.upto);
    this.#say({
      role: 'assistant',
      text: turn.reply?.text ?? '',
      calls: turn.calls.map(({ id, name, args }) => ({ id, name, args })),
    });
    this.#say(answerTo(agent, turn));
    this.turns += 1;
    this.#last = turn;
  }

  /** What people added to the brief up to a sequence; answers to questions are tool results instead. */
  hear(job: Job, upto: number): void {
    for (const { seq, text, inReplyTo } of job.messages)
      if (seq > this.#heard && seq <= upto && !(inReplyTo !== null && job.calls.get(inReplyTo)?.where === 'person'))
        this.#say({ role: 'user', text: `The person who wrote the brief adds:\n${text}` });
    this.#heard = Math.max(this.#heard, upto);
  }

  /** Providers want turns to alternate: neighbouring user messages become one. */
  #say(message: Message): void {
    const last = this.messages.at(-1);
    const joins = message.role === 'user' && last?.role === 'user';
    const said = joins ? { ...message, text: `${last.text}\n\n${message.text}` } : message;
    if (joins) this.bytes -= sizeOf([this.messages.pop()!]);
    this.messages.push(said);
    this.bytes += sizeOf([said]);
  }
}

function answerTo(agent: Agent, { calls }: Turn): Message {
  if (calls.length === 0) return { role: 'user', text: nudges[agent.spawned.kind === 'planner' ? 'plan' : 'artifact'] };
  const results = calls.map(({ id, name, result }) => ({
    id,
    name,
    text: result?.text ?? '',
    failed: result?.failed ?? true,
  }));
  return { role: 'tool', results };
}

const sizeOf = (messages: readonly Message[]): number =>
  messages.reduce((sum, message) => sum + Buffer.byteLength(JSON.stringify(message)), 0);
