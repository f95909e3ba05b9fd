/** One event as a client sees it; comments are left out. */
export interface Event {
  readonly id: number | null;
  readonly type: string;
  readonly data: string;
}

/** Events of a stream as they come, until it ends or the loop over it does. */
export async function* events(response: Response): AsyncGenerator<Event> {
  let text = '';
  const decoder = new TextDecoder();
  for await (const chunk of response.body ?? []) {
    const frames = (text + decoder.decode(chunk as Uint8Array, { stream: true })).split('\n\n');
    text = frames.pop() ?? '';
    for (const frame of frames) {
      const lines = new Map(
        frame.split('\n').map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 2)]),
      );
      const id = lines.get('id');
      const data = lines.get('data');
      if (data !== undefined)
        yield { id: id === undefined ? null : Number(id), type: lines.get('event') ?? 'message', data };
    }
  }
}
