import { useEffect, useState } from 'react';
import { afterPaint } from './after-paint.ts';

/** How many of `count` are drawn: a piece more in each frame, so that a press waits for the drawing of one piece and not of all. */
export function useInPieces(count: number, piece: number): number {
  const [drawn, setDrawn] = useState(piece);
  useEffect(() => {
    if (drawn < count) afterPaint(() => setDrawn(drawn + piece));
    if (drawn > count + piece) setDrawn(Math.max(piece, count));
  }, [drawn, count, piece]);
  return drawn;
}
