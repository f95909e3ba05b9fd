/** A worker process of a benchmark: runs one side of it, told and asked over the process channel. */
import type { Side } from './loom.ts';
import { Meter } from './meter.ts';
import type { Ask, Tell, Work } from './protocol.ts';
import { residentOf } from './memory.ts';

const tell = (what: Tell): void => void process.send?.(what);

const work = JSON.parse(process.argv[2] ?? '') as Work;
const meter = new Meter();
const ended = (): void => tell({ kind: 'ended' });
/** Each side carries nothing that only another needs. */
const sides: Readonly<Record<Work['side'], () => Promise<Side>>> = {
  loom: async () => (await import('./loom.ts')).loomSide(work, meter, ended),
  log: async () => (await import('./log-alone.ts')).logSide(work, meter, ended),
  raw: async () => (await import('./raw.ts')).rawSide(work, meter, ended),
};

const side = await sides[work.side]();

let began = process.cpuUsage();

async function measured(together: boolean): Promise<Tell> {
  const { user, system } = process.cpuUsage(began);
  return {
    kind: 'measured',
    measured: meter.measured(together),
    cpu: user + system,
    memory: await residentOf(process.pid),
  };
}

async function answer(ask: Ask): Promise<void> {
  switch (ask.kind) {
    case 'reset':
      began = process.cpuUsage();
      return meter.reset();
    case 'begin':
      return side.begin(ask.loops);
    case 'measure':
      return tell(await measured(ask.together));
    case 'stop':
      await side.stop();
      process.disconnect();
  }
}

process.on('message', (ask) => void answer(ask as Ask));
process.once('disconnect', () => process.exit());
tell({ kind: 'ready' });
