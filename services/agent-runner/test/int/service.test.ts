import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { openaiEmulator } from '../../../../test/emulators/openai.ts';
import { start } from '../../src/index.ts';
import { askStep, askTool, facts, jobWithWorker } from './job.ts';
import { world } from './world.ts';

async function until<T>(read: () => Promise<readonly T[]>, count: number): Promise<readonly T[]> {
  for (;;) {
    const found = await read();
    if (found.length >= count) return found;
    await sleep(20);
  }
}

test('the service settles what is asked through the log, is ready, and stops clean', async () => {
  await using place = await world();
  await using emulator = await openaiEmulator({ script: () => ({ text: 'Counted.' }) });
  const running = await start({ ...place.env, OPENAI_BASE_URL: emulator.url, LOOM_MODEL_WORKER: 'gpt-5.6-terra' });
  const at = await jobWithWorker(place, { model: 'gpt-5.6-terra' });
  await askStep(place, at);
  const [settled] = await until(() => facts(place.orchestrator, at, 'step.settled'), 1);
  await askTool(place, at, { tool: 'list_files', args: {} });
  const [used] = await until(() => facts(place.orchestrator, at, 'tool.settled'), 1);
  assert.equal([settled?.outcome, settled?.provider, settled?.text], ['completed', 'openai', 'Counted.']);
  assert.is(used?.outcome, 'completed');
  assert.is((await fetch(`http://127.0.0.1:${running.port}/readyz`)).status, 200);
  await running.stop();
});

test('a model that cannot be had is told by the name of its setting', async () => {
  const failed = await start({
    LOOM_NATS_URL: 'nats://127.0.0.1:1',
    LOOM_NATS_PASSWORD: 'x',
    LOOM_ROOT_KEY_FILE: '/nowhere',
    LOOM_MODEL_WORKER: 'gpt-5',
  }).catch((error: unknown) => error);
  assert.match(String(failed), 'LOOM_MODEL_WORKER');
});

test.run();
