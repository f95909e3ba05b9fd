import { useEffect, useState } from 'react';
import { afterPaint } from './after-paint.ts';

/** Follows a value once the frame is painted that shows its press: what is dear to draw comes behind what is seen at once. */
export function usePainted<T>(value: T): T {
  const [painted, setPainted] = useState(value);
  useEffect(() => afterPaint(() => setPainted(value)), [value]);
  return painted;
}
