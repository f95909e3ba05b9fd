import { startTransition, useEffect, useState } from 'react';

/** Follows a value once it has stood still for so long, ms: who runs past many is shown the one where they rest. What follows from it gives way to presses. */
export function useRested<T>(value: T, rest: number): T {
  const [rested, setRested] = useState(value);
  useEffect(() => {
    const timer = setTimeout(() => startTransition(() => setRested(value)), rest);
    return () => clearTimeout(timer);
  }, [value, rest]);
  return rested;
}
