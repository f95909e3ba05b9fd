import { totalmem } from 'node:os';
import { logSettings, setting } from '@loom/service';

/** A waiting container holds about 100 MB; below this the machine has none to spare. */
const smallMachine = 2 * 1024 ** 3;

/** Settings of the sandbox. What code may use is no setting (domain/limits.ts); tests alone shorten the clock. */
export const settings = {
  ...logSettings('sandbox'),
  socket: setting.text('LOOM_DOCKER_SOCKET', '/var/run/docker.sock'),
  image: setting.text('LOOM_SANDBOX_IMAGE', 'loom-sandbox:latest'),
  /** Docker runtime, e.g. `runsc` for gVisor; empty takes the engine's default. */
  runtime: setting.text('LOOM_SANDBOX_RUNTIME', ''),
  /** Replicas that share an engine share a pool, and remove what a dead one left. */
  pool: setting.text('LOOM_SANDBOX_POOL', 'default'),
  poolSize: setting.integer('LOOM_SANDBOX_POOL_SIZE', { min: 0, max: 64 }, totalmem() < smallMachine ? 0 : 1),
  width: setting.integer('LOOM_SANDBOX_WIDTH', { min: 1, max: 64 }, 2),
  wallClockMs: setting.integer('LOOM_SANDBOX_WALL_CLOCK_MS', { min: 500, max: 30_000 }, 30_000),
  privateKeyFile: setting.text('LOOM_POOL_PRIVATE_KEY_FILE'),
} as const;
