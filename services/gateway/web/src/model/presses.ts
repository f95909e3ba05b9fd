/** When somebody last pressed a key or a pointer, or pulled a slider, anywhere on the page. */
let last = -Infinity;

const press = (): void => void (last = performance.now());

for (const event of ['keydown', 'pointerdown', 'input'] as const)
  globalThis.addEventListener?.(event, press, { capture: true, passive: true });

/** By the clock of the page, ms. */
export const lastPress = (): number => last;
