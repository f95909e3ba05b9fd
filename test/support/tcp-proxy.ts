/** A TCP proxy on loopback that can cut a connection at a chosen moment of the conversation. */
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';

/** `pass`: handed on. `cut`: not handed on, and the connection ends. `cut-behind`: handed on, but no answer comes back. */
export type Fate = 'pass' | 'cut' | 'cut-behind';

export interface TcpProxy extends AsyncDisposable {
  readonly port: number;
}

/** `fate` is asked about everything that a client sends, as it arrives; `lost` hears what the server answered to a client that was cut off. */
export async function tcpProxy(
  target: number,
  fate: (sent: Buffer) => Fate,
  lost: (answer: Buffer) => void = () => undefined,
): Promise<TcpProxy> {
  const open = new Set<Socket>();
  const server = createServer((client) => {
    const upstream = connect(target, '127.0.0.1');
    for (const socket of [client, upstream]) {
      open.add(socket);
      socket.on('error', () => undefined);
      socket.on('close', () => open.delete(socket));
    }
    client.on('data', (sent) => forward(client, upstream, sent, fate(sent)));
    client.on('close', () => upstream.end());
    upstream.on('data', (answer) => void (client.destroyed ? lost(answer) : client.write(answer)));
    upstream.on('close', () => client.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  return {
    port: typeof address === 'object' && address !== null ? address.port : 0,
    async [Symbol.asyncDispose]() {
      server.close();
      for (const socket of open) socket.destroy();
      await once(server, 'close');
    },
  };
}

function forward(client: Socket, upstream: Socket, sent: Buffer, fate: Fate): void {
  if (fate !== 'cut') upstream.write(sent);
  if (fate === 'pass') return;
  client.destroy();
  if (fate === 'cut') upstream.destroy();
}
