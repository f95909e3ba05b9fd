/**
 * Loaded before a service by chaos alone, where LOOM_CHAOS_CLOCK names a file: this process's clock is then off by what the file says of its
 * service. Only the wall clock is; timers and the monotonic clock go on, as they do when somebody sets the clock of a machine.
 */
import { readFileSync } from 'node:fs';
import type { Shifts } from './clocks.ts';

const { LOOM_CHAOS_CLOCK: file = '', LOOM_NATS_USER: service = '' } = process.env;
const RealDate = Date;
const real = (): number => RealDate.now();

/** How often the file is looked at, ms. */
const every = 20;

let text = '';
/** Unix ms that this process takes it to be. */
let now = real;

function look(): void {
  const found = readFileSync(file, 'utf8');
  if (found === text || found === '') return;
  text = found;
  const shift = (JSON.parse(found) as Shifts)[service] ?? 0;
  const stopped = real();
  now = shift === 'stopped' ? () => stopped : () => real() + shift;
}

if (file !== '') {
  look();
  setInterval(look, every).unref();
  globalThis.Date = new Proxy(RealDate, {
    apply: () => new RealDate(now()).toString(),
    construct: (target, args, self) => Reflect.construct(target, args.length === 0 ? [now()] : args, self) as Date,
    get: (target, name, self) => (name === 'now' ? now : (Reflect.get(target, name, self) as unknown)),
  });
}
