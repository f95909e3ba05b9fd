const IGNORED = new Set(
  'the a an and or of to in is are was were be been it its this that these those for on with as at by from me my our your i we you each every one all any do does did have has had which what who how many much where when whose there them they file files data dataset table csv tsv json txt jsonl sample list world'.split(
    ' ',
  ),
);

const NUMBERS: Readonly<Record<string, number>> = {
  one: 1,
  two: 2,
  three: 3,
  four: 4,
  five: 5,
  six: 6,
  seven: 7,
  eight: 8,
  nine: 9,
  ten: 10,
  eleven: 11,
  twelve: 12,
  fifteen: 15,
  twenty: 20,
  thirty: 30,
  fifty: 50,
};

/** Lower-case words of a text or name: `installedKb`, `installed_kb` and `installed kb` give the same. */
export function tokens(text: string): readonly string[] {
  return text
    .replace(/([a-z])([A-Z])/g, '$1 $2')
    .toLowerCase()
    .split(/[^\p{L}\p{N}]+/u)
    .filter((word) => word !== '');
}

/** A crude stem, enough for singular and plural to meet: countries and country, packages and package. */
export function stem(word: string): string {
  if (word.length <= 3) return word;
  if (word.endsWith('ies')) return `${word.slice(0, -3)}y`;
  if (/(?:ss|us|is)$/.test(word)) return word;
  if (/(?:sses|ches|shes|xes)$/.test(word)) return word.slice(0, -2);
  return word.endsWith('s') ? word.slice(0, -1) : word;
}

/** Stems of the words that carry meaning. */
export function stems(text: string): readonly string[] {
  return tokens(text)
    .filter((word) => !IGNORED.has(word))
    .map(stem);
}

export const isNumber = (word: string): boolean => word in NUMBERS || /^\d+$/.test(word);

/** The first number of a phrase such as `top 5` or `ten heaviest`, between 1 and 50. */
export function amount(text: string, fallback: number): number {
  const digits = /\b(\d{1,3})\b(?!\s*(?:%|percent))/.exec(text)?.[1];
  const word = tokens(text).find((token) => token in NUMBERS && token !== 'one');
  const found = digits !== undefined ? Number(digits) : word !== undefined ? (NUMBERS[word] ?? fallback) : fallback;
  return Math.min(50, Math.max(1, found));
}

/** How many of `wanted` stand in `found`. */
export function overlap(wanted: readonly string[], found: ReadonlySet<string>): number {
  return new Set(wanted.filter((word) => found.has(word))).size;
}
