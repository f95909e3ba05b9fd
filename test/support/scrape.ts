/** The figures of a running stack, as Prometheus asks for them. */
import type { Stack } from '@loom/cli';
import { setTimeout as sleep } from 'node:timers/promises';

export const scrape = async (stack: Stack, service: string): Promise<string> =>
  (await fetch(`http://127.0.0.1:${stack.state().healthPorts[service]}/metrics`)).text();

/** Scrapes a service until a line is there. @throws when it does not come within a minute */
export async function shows(stack: Stack, service: string, line: RegExp): Promise<void> {
  for (const end = Date.now() + 60_000; Date.now() < end; await sleep(250))
    if (line.test(await scrape(stack, service))) return;
  throw new Error(`${service} never showed ${String(line)}`);
}
