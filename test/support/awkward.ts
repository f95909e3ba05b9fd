/** Files that are hard to read, made from a seed together with the figures that a right reading gives. */

/** Mulberry32: the same numbers in 0…1 for the same seed. */
function randomOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

/** A number of things by name, the most first, ties by name. */
export type Tally = readonly (readonly [name: string, amount: number])[];

class Counter {
  readonly #sums = new Map<string, number>();

  add(name: string, amount = 1): void {
    this.#sums.set(name, (this.#sums.get(name) ?? 0) + amount);
  }

  tally(): Tally {
    return [...this.#sums].toSorted(([a, x], [b, y]) => y - x || (a < b ? -1 : 1));
  }
}

interface Made<Figures> {
  readonly content: Buffer;
  readonly figures: Figures;
}

const towns = ['Köln', 'Münster', 'Straßburg', 'Zürich', 'Århus', 'Malmö', 'Besançon'];
const kinds = ['Äpfel', 'Öl', 'Nüsse', 'Käse'];
const pick = <T>(random: () => number, of: readonly T[]): T => of[Math.floor(random() * random() * of.length)] as T;

/** Semicolons, decimal commas, CR LF, Latin-1, dates day first, and empty cells. Sums are in hundredths. */
export function germanCsv(
  seed: number,
  rows = 900,
): Made<{ rows: number; empty: number; byTown: Tally; cents: Tally }> {
  const random = randomOf(seed);
  const [byTown, cents] = [new Counter(), new Counter()];
  let empty = 0;
  const lines = ['Beleg;Ort;Ware;Preis;Datum'];
  for (let row = 1; row <= rows; row += 1) {
    const [town, price] = [pick(random, towns), 100 + Math.floor(random() * 90_000)];
    const missing = random() < 0.05;
    byTown.add(town);
    cents.add(town, missing ? 0 : price);
    if (missing) empty += 1;
    const day = String(1 + Math.floor(random() * 28)).padStart(2, '0');
    const shown = missing ? '' : (price / 100).toFixed(2).replace('.', ',');
    lines.push(`B${row};${town};${pick(random, kinds)};${shown};${day}.0${1 + (row % 9)}.2025`);
  }
  const content = Buffer.from(`${lines.join('\r\n')}\r\n`, 'latin1');
  return { content, figures: { rows, empty, byTown: byTown.tally(), cents: cents.tally() } };
}

/** JSON Lines: objects in objects, lists, fields that are absent, null, or of another type. */
export function nestedJsonLines(
  seed: number,
  rows = 700,
): Made<{ rows: number; absent: number; byCountry: Tally; bytes: Tally }> {
  const random = randomOf(seed);
  const [byCountry, sizes] = [new Counter(), new Counter()];
  let absent = 0;
  const lines: string[] = [];
  for (let row = 1; row <= rows; row += 1) {
    const country = random() < 0.12 ? null : pick(random, ['DE', 'NA', 'FR', 'JP', 'BR']);
    const size = Math.floor(random() * 10_000);
    if (country === null) absent += 1;
    else byCountry.add(country);
    if (country !== null) sizes.add(country, size);
    const place = country === null ? {} : { geo: { country } };
    lines.push(
      JSON.stringify({
        at: `2025-03-${String(1 + (row % 28)).padStart(2, '0')}T08:00:00Z`,
        user: { id: `u${row}`, ...place },
        size,
        ...extra(row),
      }),
    );
  }
  const content = Buffer.from(`${lines.join('\n')}\n`);
  return { content, figures: { rows, absent, byCountry: byCountry.tally(), bytes: sizes.tally() } };
}

function extra(row: number): object {
  if (row % 3 === 0) return { tags: ['a', 'b'] };
  return row % 5 === 0 ? { note: null, score: 'high' } : { score: row % 11 };
}

const vocabulary = [
  'harbour',
  'lantern',
  'orchard',
  'granite',
  'whistle',
  'meadow',
  'compass',
  'thunder',
  'velvet',
  'saffron',
];

/** Plain text without any table in it. */
export function plainText(seed: number, bytes = 200_000): Made<{ lines: number; words: number; top: Tally }> {
  const random = randomOf(seed);
  const top = new Counter();
  const lines: string[] = [];
  let [size, words] = [0, 0];
  while (size < bytes) {
    const line: string[] = [];
    for (let at = 4 + Math.floor(random() * 12); at > 0; at -= 1) line.push(pick(random, vocabulary));
    for (const word of line) top.add(word);
    words += line.length;
    lines.push(`${line.join(' ')}.`);
    size += (lines.at(-1)?.length ?? 0) + 1;
  }
  return { content: Buffer.from(`${lines.join('\n')}\n`), figures: { lines: lines.length, words, top: top.tally() } };
}

/** A CSV of just under `bytes`: 50 MB is the most that a call may bring. */
export function bigCsv(seed: number, bytes = 50_000_000): Made<{ rows: number; byRegion: Tally; amount: Tally }> {
  const random = randomOf(seed);
  const [byRegion, amount] = [new Counter(), new Counter()];
  const regions = ['north', 'south', 'east', 'west', 'centre', 'islands'];
  const parts: Buffer[] = [Buffer.from('id,region,amount,weight,comment\n')];
  let [size, rows] = [parts[0]?.length ?? 0, 0];
  for (let chunk: string[] = []; size < bytes - 100_000; chunk = []) {
    for (let at = 0; at < 1000; at += 1) {
      const [region, value] = [pick(random, regions), Math.floor(random() * 5_000)];
      rows += 1;
      byRegion.add(region);
      amount.add(region, value);
      chunk.push(
        `${rows},${region},${value},${(value / 7).toFixed(3)},row ${rows} of the big file: ${'x'.repeat(rows % 40)}\n`,
      );
    }
    const block = Buffer.from(chunk.join(''));
    parts.push(block);
    size += block.length;
  }
  return { content: Buffer.concat(parts), figures: { rows, byRegion: byRegion.tally(), amount: amount.tally() } };
}
