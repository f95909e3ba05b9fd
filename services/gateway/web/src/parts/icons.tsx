const paths = {
  plus: 'M8 3v10M3 8h10',
  search: 'M7 12A5 5 0 1 0 7 2a5 5 0 0 0 0 10ZM11 11l3 3',
  system: 'M2.5 3h11v8h-11zM6 14h4M8 11v3',
  light: 'M8 5a3 3 0 1 0 0 6 3 3 0 0 0 0-6ZM8 1v1.5M8 13.5V15M1 8h1.5M13.5 8H15M3 3l1 1M12 12l1 1M13 3l-1 1M4 12l-1 1',
  dark: 'M13.5 9.5A6 6 0 0 1 6.5 2.5a6 6 0 1 0 7 7Z',
  chart: 'M2.5 13.5h11M4.5 11V8M8 11V4M11.5 11V6.5',
  leave: 'M6 2.5H3v11h3M9 5l3 3-3 3M12 8H6',
  clip: 'M13 7.5 8 12.5a3 3 0 0 1-4.3-4.2l5.4-5.4a2 2 0 0 1 2.9 2.8L6.7 11a1 1 0 0 1-1.4-1.4l4.9-4.9',
  close: 'M4 4l8 8M12 4l-8 8',
  down: 'M8 2.5v8M4.5 7.5 8 11l3.5-3.5M3 13.5h10',
  back: 'M10 3 5 8l5 5',
  forward: 'M6 3l5 5-5 5',
  play: 'M5 3v10l8-5z',
  pause: 'M5 3v10M11 3v10',
  file: 'M4 1.5h5l3 3v10H4zM9 1.5v3h3',
  warn: 'M8 2 1.5 13.5h13zM8 6.5v3M8 11.5v.5',
  check: 'M3 8.5 6.5 12 13 4.5',
  stop: 'M4 4h8v8H4z',
  person: 'M8 8a3 3 0 1 0 0-6 3 3 0 0 0 0 6ZM2.5 14a5.5 5.5 0 0 1 11 0',
  tool: 'M10 2.5a3.5 3.5 0 0 0-3.3 4.6L2.5 11.3v2.2h2.2l4.2-4.2A3.5 3.5 0 0 0 13.2 4.6L11 6.5 9.5 5z',
  send: 'M8 13V3M4 7l4-4 4 4',
} as const;

export type IconName = keyof typeof paths;

/** Drawn beside words that say the same, so it is hidden from who hears the page. */
export function Icon({ name, size = 16 }: { readonly name: IconName; readonly size?: number }) {
  return (
    <svg className="icon" width={size} height={size} viewBox="0 0 16 16" aria-hidden="true" focusable="false">
      <path d={paths[name]} />
    </svg>
  );
}

/** Loom's mark: warp and weft. */
export function Mark({ size = 24 }: { readonly size?: number }) {
  return (
    <svg className="mark" width={size} height={size} viewBox="0 0 32 32" aria-hidden="true" focusable="false">
      <rect width="32" height="32" rx="8" />
      <path className="warp" d="M10 6v9M10 21v5M16 6v3M16 15v11M22 6v9M22 21v5" />
      <path className="weft" d="M6 12h7M19 12h7M6 18h1M13 18h6M25 18h1" />
    </svg>
  );
}
