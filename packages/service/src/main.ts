import { armCrash } from './crashpoint.ts';
import { LoomError } from './errors.ts';
import { logger } from './logger.ts';
import type { Env } from './config.ts';
import type { Running } from './health.ts';

/** Longest drain on SIGTERM, ms; what is still in hand then is redelivered to another process. */
const longestDrain = 25_000;

function stopOnSignal(name: string, running: Running): void {
  let stopping = false;
  const stop = (): void => {
    if (stopping) process.exit(1);
    stopping = true;
    setTimeout(() => process.exit(1), longestDrain).unref();
    running.stop().then(
      () => process.exit(0),
      (cause: unknown) => {
        logger(name).error({ err: cause }, 'stopping failed');
        process.exit(1);
      },
    );
  };
  process.on('SIGTERM', stop).on('SIGINT', stop);
}

async function run(name: string, start: (env: Env) => Promise<Running>): Promise<void> {
  try {
    armCrash(process.env['LOOM_CRASH_AT']);
    const running = await start(process.env);
    stopOnSignal(name, running);
    process.stdout.write(`${JSON.stringify({ service: name, port: running.port })}\n`);
  } catch (cause) {
    const failure = LoomError.from(cause);
    logger(name).fatal({ err: cause }, 'the service could not start');
    process.exit(failure.code === 'config_invalid' || failure.code === 'part_missing' ? 3 : 1);
  }
}

/**
 * Starts the service when its file is the program (else nothing happens, and `start` is there for others to call).
 * When ready one line `{"service","port"}` is printed; SIGTERM and SIGINT drain and exit 0, a second one exits at once.
 */
export function main(meta: ImportMeta, name: string, start: (env: Env) => Promise<Running>): void {
  if (!meta.main) return;
  process.on('unhandledRejection', (cause) => {
    logger(name).fatal({ err: cause }, 'a promise was rejected and nobody looked');
    process.exit(1);
  });
  void run(name, start);
}
