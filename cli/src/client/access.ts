/** A way to a gateway: the stack that runs on this data folder, or one started for this command alone. */
import { bringUp } from '../parts/index.ts';
import { Failure } from '../failure.ts';
import type { Output } from '../output.ts';
import { homeOf } from '../root.ts';
import { mintToken } from '../stack/issuer.ts';
import { runningStack } from '../stack/state.ts';
import { Gateway } from './gateway.ts';

export interface Reached extends AsyncDisposable {
  readonly gateway: Gateway;
  readonly url: string;
  /** Whether the system ends with this command. */
  readonly own: boolean;
}

const nothingToEnd = (): Promise<void> => Promise.resolve();

/** The running stack. @throws Failure 3 when none is up */
export async function reach(): Promise<Reached> {
  const home = homeOf(process.env);
  const up = await runningStack(home);
  if (!up)
    throw new Failure(3, 'no Loom is up on this data folder', [
      './loom up starts one, ./loom run "<brief>" starts one for itself',
    ]);
  return { gateway: gatewayAt(up.url, home), url: up.url, own: false, [Symbol.asyncDispose]: nothingToEnd };
}

/** The running stack, or an embedded one that ends with the returned object. */
export async function reachOrStart(out: Output, options: { readonly sandbox: boolean }): Promise<Reached> {
  const home = homeOf(process.env);
  if (await runningStack(home)) return reach();
  await using owned = new AsyncDisposableStack();
  const machine = owned.use(await bringUp(out, options));
  const { startStack } = await import('../stack/stack.ts');
  const stack = owned.use(
    await startStack({ home, out, env: process.env, nats: machine.nats, sandbox: machine.sandbox }),
  );
  const kept = owned.move();
  return {
    gateway: gatewayAt(stack.url, home),
    url: stack.url,
    own: true,
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  };
}

/** Tokens are short-lived: each call gets a fresh one. */
const gatewayAt = (url: string, home: string): Gateway => new Gateway({ url, token: () => mintToken(home) });
