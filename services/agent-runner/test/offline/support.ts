import type { Message, ModelReply, Situation, ToolResult } from '@loom/models';
import type { Column, Profile } from '../../src/offline/profile.ts';
import { offline } from '../../src/offline/index.ts';

export const situation = (over: Partial<Situation>): Situation => ({
  kind: 'worker',
  agent: 'a1',
  role: 'analyst',
  task: 'profile',
  brief: '',
  attachments: [],
  files: [],
  results: [],
  artifacts: [],
  ...over,
});

export const attachment = (name: string) => ({ name, media_type: 'text/csv', size: 1 });

/** One step of the offline model over a conversation. */
export function step(of: Situation, messages: readonly Message[] = []): Promise<ModelReply> {
  const request = {
    model: 'offline',
    system: '',
    messages: [{ role: 'user', text: '' } as const, ...messages],
    tools: [],
    maxTokens: 100,
    situation: of,
  };
  return offline().call(request, { signal: new AbortController().signal, onDelta: () => {} });
}

/** The conversation after the calls of a reply came back. */
export function answered(reply: ModelReply, give: (code: string) => { text: string; failed: boolean }): Message[] {
  const results: ToolResult[] = reply.calls.map(({ id, name, args }) => ({
    id,
    name,
    ...give((JSON.parse(args) as { code: string }).code),
  }));
  return [
    { role: 'assistant', text: reply.text, calls: reply.calls },
    { role: 'tool', results },
  ];
}

export const column = (name: string, kind: Column['kind'], over: Partial<Column> = {}): Column => ({
  name,
  kind,
  missing: 0,
  distinct: 50,
  ...over,
});

export const profile = (file: string, columns: readonly Column[], over: Partial<Profile> = {}): Profile => ({
  phase: 'profile',
  file,
  size: 10,
  kind: 'table',
  encoding: 'utf-8',
  load: 'df = 1',
  rows: 100,
  width: columns.length,
  stopped: null,
  columns,
  labels: [],
  groups: [],
  tops: [],
  correlations: [],
  oddities: [],
  charts: [],
  text: null,
  source: { kind: 'table', delimiter: ',', decimal: '.', header: true },
  seconds: 1,
  cut: false,
  ...over,
});

export const ran = (out: object) => ({
  text: `exit code 0 (1 s)\n--- stdout\n${JSON.stringify(out)}\n\n--- stderr\n\n--- files\n`,
  failed: false,
});
