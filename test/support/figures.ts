/** The figures that the scripted swarm's programs print of a file, computed apart from them. */

/** Label → value, as `FIGURE <file>: <label> = <value>` says them. */
export function figuresOf(name: string, text: string, delimiter: string): ReadonlyMap<string, string> {
  const [header = '', ...lines] = text.trimEnd().split(/\r?\n/);
  const columns = header.split(delimiter);
  const rows = lines.map((line) => line.split(delimiter));
  const column = (at: number): string[] => rows.map((row) => row[at] ?? '');
  const figures = new Map<string, string>();
  const say = (label: string, value: number): void => void figures.set(`${name}: ${label}`, String(value));
  say('rows', rows.length);
  say('repeated rows', rows.length - new Set(lines).size);
  const others = columns.flatMap((title, at) => {
    const values = column(at);
    say(`empty ${title}`, values.filter((value) => value === '').length);
    return describe(title, values, say) ? [] : [{ title, groups: new Set(values).size }];
  });
  const charted = others.toSorted((a, b) => Math.abs(a.groups - 12) - Math.abs(b.groups - 12))[0];
  if (charted) say(`groups of ${charted.title}`, charted.groups);
  return figures;
}

/** Figures of one column; whether it is one of numbers. */
function describe(title: string, values: readonly string[], say: (label: string, value: number) => void): boolean {
  const filled = values.filter((value) => value !== '');
  if (filled.every((value) => Number.isFinite(Number(value)))) {
    if (filled.length === 0) return true;
    const numbers = filled.map(Number);
    say(
      `sum of ${title}`,
      numbers.reduce((sum, value) => sum + value, 0),
    );
    say(`largest ${title}`, Math.max(...numbers));
    return true;
  }
  const groups = [...Map.groupBy(values, (value) => value)].map(([value, all]) => [value, all.length] as const);
  if (groups.length > 1 && groups.length <= values.length / 4)
    for (const [value, count] of groups.toSorted((a, b) => b[1] - a[1]).slice(0, 3))
      say(`rows with ${title} ${value || '(empty)'}`, count);
  return false;
}

/** Label → value of the rows of the report's table of figures. */
export const reportedFigures = (report: string): ReadonlyMap<string, string> =>
  new Map(
    [...report.matchAll(/^\| (.+?: .+) \| (-?[\d.]+) \|$/gm)].map(([, label = '', value = '']) => [label, value]),
  );
