/** Cookies by name. The first of a name counts: a browser sends the most specific path first, and a tossed one behind it. */
export function cookies(header: string | undefined): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  for (const part of (header ?? '').split(';')) {
    const at = part.indexOf('=');
    const name = part.slice(0, at).trim();
    if (name !== '' && at > 0 && !found.has(name)) found.set(name, part.slice(at + 1).trim());
  }
  return found;
}
