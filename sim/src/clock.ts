/**
 * Puts the timeline of the running host under the clocks, timers and random numbers of the platform, for as long as this process lives.
 * Outside of a host everything is as it was. What others imported by name before is changed as well (`syncBuiltinESMExports`).
 */
import type * as Crypto from 'node:crypto';
import { createRequire, syncBuiltinESMExports } from 'node:module';
import { hostNow } from './timeline.ts';
import type { Host, Pending } from './timeline.ts';

/** What `setTimeout` returns inside of a host. */
class Timer {
  readonly #host: Host;
  readonly #ms: number;
  readonly #run: () => void;
  #pending: Pending;

  constructor(host: Host, ms: number, run: () => void) {
    this.#host = host;
    this.#ms = ms;
    this.#run = run;
    this.#pending = host.timeline.in(ms, host, run);
  }

  cancel(): void {
    this.#pending.cancel();
  }

  refresh(): this {
    this.#pending.cancel();
    this.#pending = this.#host.timeline.in(this.#ms, this.#host, this.#run);
    return this;
  }

  ref(): this {
    return this;
  }

  unref(): this {
    return this;
  }
}

type Callback = () => void;

const { setTimeout, setInterval, setImmediate, clearTimeout, clearInterval, Date: RealDate } = globalThis;
const { random } = Math;
const performanceNow = performance.now.bind(performance);
const abortAfter = AbortSignal.timeout.bind(AbortSignal);

const simulated = {
  setTimeout: (run: Callback, ms = 0) => {
    const host = hostNow();
    return host === undefined ? setTimeout(run, ms) : new Timer(host, ms, run);
  },
  setImmediate: (run: Callback) => {
    const host = hostNow();
    return host === undefined ? setImmediate(run) : new Timer(host, 0, run);
  },
  setInterval: (run: Callback, ms = 0) => {
    const host = hostNow();
    if (host === undefined) return setInterval(run, ms);
    const timer: Timer = new Timer(host, Math.max(1, ms), () => {
      timer.refresh();
      run();
    });
    return timer;
  },
  clearTimeout: (timer?: NodeJS.Timeout | Timer) => (timer instanceof Timer ? timer.cancel() : clearTimeout(timer)),
  clearInterval: (timer?: NodeJS.Timeout | Timer) => (timer instanceof Timer ? timer.cancel() : clearInterval(timer)),
};

class SimulatedDate extends RealDate {
  constructor(...given: readonly number[]) {
    if (given.length > 0) super(...(given as [number]));
    else super(SimulatedDate.now());
  }

  static override now(): number {
    return hostNow()?.timeline.now ?? RealDate.now();
  }
}

interface Waiting {
  readonly signal?: AbortSignal;
}

/** `setTimeout` of `node:timers/promises`. */
function sleepInstead(real: (ms?: number, value?: unknown, options?: Waiting) => Promise<unknown>): typeof real {
  return (ms = 0, value, options = {}) => {
    const host = hostNow();
    if (host === undefined) return real(ms, value, options);
    return new Promise((resolve, reject) => {
      const timer = new Timer(host, ms, () => {
        options.signal?.removeEventListener('abort', abort);
        resolve(value);
      });
      const abort = (): void => {
        timer.cancel();
        reject(new DOMException('The operation was aborted', 'AbortError'));
      };
      if (options.signal?.aborted === true) abort();
      else options.signal?.addEventListener('abort', abort, { once: true });
    });
  };
}

function bytesOf(host: Host, size: number): Buffer {
  return Buffer.from(Array.from({ length: size }, () => host.random.below(256)));
}

/** Ids and nonces; both functions are called without a callback wherever a host runs. */
function changeCrypto(crypto: typeof Crypto): void {
  const { randomBytes, randomUUID } = crypto;
  const bytes = (size: number): Buffer => {
    const host = hostNow();
    return host === undefined ? randomBytes(size) : bytesOf(host, size);
  };
  const uuid = (): string => {
    const host = hostNow();
    if (host === undefined) return randomUUID();
    return bytesOf(host, 16)
      .toString('hex')
      .replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
  };
  Object.assign(crypto, { randomBytes: bytes, randomUUID: uuid });
}

function install(): void {
  const require = createRequire(import.meta.url);
  const sleeping = require('node:timers/promises') as { setTimeout: Parameters<typeof sleepInstead>[0] };
  sleeping.setTimeout = sleepInstead(sleeping.setTimeout);
  changeCrypto(require('node:crypto') as typeof Crypto);
  syncBuiltinESMExports();
  Object.assign(globalThis, simulated, { Date: SimulatedDate });
  Math.random = () => hostNow()?.random.next() ?? random();
  performance.now = () => hostNow()?.timeline.now ?? performanceNow();
  AbortSignal.timeout = (ms) => {
    const host = hostNow();
    if (host === undefined) return abortAfter(ms);
    const controller = new AbortController();
    host.timeline.in(ms, host, () => controller.abort(new DOMException('The operation timed out', 'TimeoutError')));
    return controller.signal;
  };
}

install();
