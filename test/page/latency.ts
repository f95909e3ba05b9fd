/** How long presses take to be seen, by the browser's own Event Timing. */
import type { Page } from 'playwright-core';

export interface Latency {
  /** Presses of keys and pointer, each counted once by its longest event. */
  readonly presses: number;
  /** Of 98 in 100, ms; what is below 16 ms counts as 16. */
  readonly p98: number;
  readonly worst: number;
}

/** An event lasts until the next paint, whatever that shows: a dot that never rests makes it come, for a press that changes nothing too. It has to be in sight: what is not is never painted. */
const watch = `
  if (!window.presses) {
    const dot = document.body.appendChild(document.createElement('i'));
    Object.assign(dot.style, { position: 'fixed', top: 0, left: 0, width: '1px', height: '1px', background: 'gray' });
    dot.animate({ opacity: [0, 1] }, { duration: 500, iterations: Infinity });
  }
  window.presses = new Map();
  const began = performance.now();
  new PerformanceObserver((list) => {
    for (const { interactionId, duration, startTime } of list.getEntries())
      if (interactionId && startTime >= began) presses.set(interactionId, Math.max(duration, presses.get(interactionId) ?? 0));
  }).observe({ type: 'event', durationThreshold: 16 });`;

/** Runs `act`, which presses `count` times. */
export async function latencyOf(page: Page, count: number, act: () => Promise<void>): Promise<Latency> {
  await page.evaluate(watch);
  await act();
  await page.waitForTimeout(300);
  const slow = await page.evaluate<number[]>('[...presses.values()]');
  const all = [...slow, ...Array.from({ length: Math.max(0, count - slow.length) }, () => 16)].toSorted(
    (a, b) => a - b,
  );
  return { presses: all.length, p98: all[Math.ceil(all.length * 0.98) - 1] ?? Infinity, worst: all.at(-1) ?? Infinity };
}

/** Begins to weigh: how much of the time that the page's main thread was at work it really ran, 1 on a machine that is free. */
export async function shareOf(page: Page): Promise<() => Promise<number>> {
  const wall = await worked(page, 'timeTicks');
  const ran = await worked(page, 'threadTicks');
  return async () => Math.min(1, (await ran()) / Math.max(0.001, await wall()));
}

/** Seconds that the main thread spends on tasks from now on, by the clock or by its own. */
async function worked(page: Page, timeDomain: 'timeTicks' | 'threadTicks'): Promise<() => Promise<number>> {
  const session = await page.context().newCDPSession(page);
  await session.send('Performance.enable', { timeDomain });
  const read = async (): Promise<number> => {
    const { metrics } = await session.send('Performance.getMetrics');
    return metrics.find(({ name }) => name === 'TaskDuration')?.value ?? 0;
  };
  const before = await read();
  return async () => {
    const after = await read();
    await session.detach();
    return after - before;
  };
}
