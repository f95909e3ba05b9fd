/** Subject patterns as NATS reads them: `*` is one token, `>` all that follow. */
/** Those with wildcards, which are few. */
const compiled = new Map<string, (subject: string) => boolean>();

export function matcher(pattern: string): (subject: string) => boolean {
  if (!/[*>]/.test(pattern)) return (subject) => subject === pattern;
  const known = compiled.get(pattern) ?? compile(pattern);
  compiled.set(pattern, known);
  return known;
}

function compile(pattern: string): (subject: string) => boolean {
  const prefix = pattern.slice(0, -1);
  if (pattern.endsWith('.>') && !/[*>]/.test(prefix)) return (subject) => subject.startsWith(prefix);
  const form = pattern
    .replaceAll('.', String.raw`\.`)
    .replaceAll('*', '[^.]+')
    .replace(/>$/, '.+');
  const expression = new RegExp(`^${form}$`);
  return (subject) => expression.test(subject);
}
