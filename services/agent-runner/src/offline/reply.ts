import type { ToolCall } from '@loom/models';

/** What the rules decided: words and tool calls. */
export interface Reply {
  readonly text: string;
  readonly calls: readonly ToolCall[];
}

export const call = (id: string, name: string, args: object): ToolCall => ({
  id: `offline-${id}`,
  name,
  args: JSON.stringify(args),
});
