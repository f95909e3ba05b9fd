import { useState } from 'react';
import { Icon } from './icons.tsx';

type Theme = 'system' | 'light' | 'dark';
const themes: readonly Theme[] = ['system', 'light', 'dark'];
const place = 'loom.theme';

const chosen = (): Theme => themes.find((one) => one === localStorage.getItem(place)) ?? 'system';

/** Puts the chosen theme on the page; without a choice the system's holds. */
export function applyTheme(theme: Theme = chosen()): void {
  if (theme === 'system') delete document.documentElement.dataset['theme'];
  else document.documentElement.dataset['theme'] = theme;
}

export function ThemeSwitch() {
  const [theme, setTheme] = useState(chosen);
  const next = themes[(themes.indexOf(theme) + 1) % themes.length] ?? 'system';
  const turn = (): void => {
    localStorage.setItem(place, next);
    applyTheme(next);
    setTheme(next);
  };
  return (
    <button type="button" className="icon-button" onClick={turn} aria-label={`Theme: ${theme}. Switch to ${next}`}>
      <Icon name={theme} />
    </button>
  );
}
