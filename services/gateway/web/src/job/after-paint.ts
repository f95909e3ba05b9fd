import { startTransition } from 'react';

/** Changes what is shown once the next frame is painted; drawing it gives way to presses. */
export function afterPaint(change: () => void): void {
  requestAnimationFrame(() => setTimeout(() => startTransition(change)));
}
