import { useEffect, useState } from 'react';

export interface Seen {
  readonly top: number;
  readonly height: number;
  readonly width: number;
}

/** What part of a scrolling field is in sight, at most once a frame. */
export function useScrolled(element: HTMLElement | null): Seen {
  const [seen, setSeen] = useState<Seen>({ top: 0, height: 800, width: 0 });
  useEffect(() => {
    if (element === null) return;
    let frame = 0;
    const look = (): void => {
      cancelAnimationFrame(frame);
      frame = requestAnimationFrame(() => {
        const { scrollTop: top, clientHeight: height, clientWidth: width } = element;
        setSeen((before) => (near(before, { top, height, width }) ? before : { top, height, width }));
      });
    };
    const watch = new ResizeObserver(look);
    watch.observe(element);
    element.addEventListener('scroll', look, { passive: true });
    return () => {
      cancelAnimationFrame(frame);
      watch.disconnect();
      element.removeEventListener('scroll', look);
    };
  }, [element]);
  return seen;
}

/** Little moves change nothing: the margin around what is drawn covers them. */
const near = (a: Seen, b: Seen): boolean =>
  Math.abs(a.top - b.top) < 80 && Math.abs(a.height - b.height) < 40 && a.width === b.width;
