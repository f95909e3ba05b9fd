/** The whole log of a stack as tests look at it: as the operator, from outside of every service. */
import type { Stack } from '@loom/cli';
import { connectLog, type ClearFact, type Log } from '@loom/log';

export function operatorLog(stack: Stack): Promise<Log> {
  const env = stack.environment('operator');
  return connectLog({
    servers: stack.natsUrl,
    streams: stack.state().streams,
    user: 'operator',
    password: env['LOOM_NATS_PASSWORD'] ?? '',
    source: 'operator',
  });
}

/** Every fact of every stream, in the order of each. */
export async function allFacts(stack: Stack): Promise<ClearFact[]> {
  await using log = await operatorLog(stack);
  const facts: ClearFact[] = [];
  for (const stream of log.streams) for await (const fact of log.tail(stream)) facts.push(fact);
  return facts;
}

export const subjectOf = ({ tenant, stream, source, type, key }: ClearFact): string =>
  `${tenant}/${stream}/${source}/${type}/${key}`;
