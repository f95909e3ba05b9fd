import { createContext, use, useCallback, useState, type ReactNode } from 'react';

const Announce = createContext<(text: string) => void>(() => undefined);

/** Says a sentence to screen readers, without moving anybody's focus. */
export const useAnnounce = (): ((text: string) => void) => use(Announce);

export function Announcer({ children }: { readonly children: ReactNode }) {
  const [text, setText] = useState('');
  const announce = useCallback((next: string) => setText(next), []);
  return (
    <Announce value={announce}>
      {children}
      <div className="hidden" role="status" aria-live="polite" aria-atomic="true">
        {text}
      </div>
    </Announce>
  );
}
