import { useEffect, useState } from 'react';

/** Follows a value once it has stood still for so long, ms: who runs past many is shown the one where they rest. */
export function useRested<T>(value: T, rest: number): T {
  const [rested, setRested] = useState(value);
  useEffect(() => {
    const timer = setTimeout(() => setRested(value), rest);
    return () => clearTimeout(timer);
  }, [value, rest]);
  return rested;
}
