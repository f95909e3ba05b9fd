import type { Bodies } from '@loom/schemas';

type Asked =
  | { readonly type: 'tool.requested'; readonly body: Bodies['tool.requested'] }
  | { readonly type: 'run.requested'; readonly body: Bodies['run.requested'] };

/** What a tool is given, as `tool.settled.input_hmac` is made of it: the sandbox's files count by what is in them. */
export function toolInput({ type, body }: Asked): Buffer {
  const said: unknown[] = [body.tool, body.args];
  if (type === 'run.requested') said.push(body.inputs.map(({ name, sha256 }) => [name, sha256]));
  return Buffer.from(JSON.stringify(said));
}
