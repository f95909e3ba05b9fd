/**
 * Control builds: Loom without one of the rules that it stands on. They exist only inside of processes that chaos starts with its
 * preload, which changes the source while it is loaded; what is on disk, and every other process, is as it was.
 * E1  An edit whose place is not found stops the process: a control that changes nothing would prove nothing.
 */
export interface Edit {
  /** End of the file's path. */
  readonly file: string;
  readonly find: RegExp;
  readonly replace: string;
}

const append = 'packages/log/src/append.ts';
const fold = 'packages/job/src/fold.ts';

/** What is taken away, by name. */
export const controls = {
  'unique-append': [
    { file: append, find: /(= )(factHeaders\(subject, [^;]*);/, replace: '$1globalThis.loomChaos.unexpecting($2);' },
  ],
  fence: [
    {
      file: append,
      find: /(= )(factHeaders\(place\.subject, [^;]*);/,
      replace: '$1globalThis.loomChaos.unexpecting($2);',
    },
  ],
  'seen-trigger': [{ file: fold, find: /if \(job\.seq >= minSeq\) return;/, replace: 'return;' }],
  claims: [
    {
      file: 'services/agent-runner/src/consumers/steps.ts',
      find: /if \(price === undefined \|\| isFree\(price\)\) return true;/,
      replace: 'return true;',
    },
  ],
  'one-slot': [
    {
      file: append,
      find: /const source = options\.source \?\? writer\.source;/,
      replace: '$&\n  draft = globalThis.loomChaos.keyedByOutcome(draft);',
    },
  ],
  'lost-slots': [
    {
      file: 'services/orchestrator/src/domain/settle.ts',
      find: /if \(job\.ended \|\| playsBack\(job\)\) return \[\];/,
      replace: 'return [];',
    },
  ],
} as const satisfies Readonly<Record<string, readonly Edit[]>>;

export type Control = keyof typeof controls;

/** Leases that run out after 2 s: who died is followed as soon as an unacked message comes again. */
export const leaseMs = 2_000;

const leases = 'packages/log/src/leases.ts';

export const shortLeases: readonly Edit[] = [
  { file: 'packages/log/src/streams.ts', find: /leaseTtl = 5000;/, replace: `leaseTtl = ${leaseMs};` },
  { file: leases, find: /renewEvery = 1500;/, replace: 'renewEvery = 500;' },
  { file: leases, find: /askEvery = 800;/, replace: 'askEvery = 250;' },
  { file: leases, find: /margin = 1000;/, replace: 'margin = 500;' },
];

/** Makes a part of all reads stale. */
export const staleReads: Edit = {
  file: fold,
  find: /for await \(const fact of (this\.#log\.read\(job, [^)]*\))\) evolve/,
  replace: 'for await (const fact of globalThis.loomChaos.stale($1)) evolve',
};

/** Writes each run of the sandbox into a book of its own. */
export const runLedger: Edit = {
  file: 'services/sandbox/src/consumers/calls.ts',
  find: /const run = await runCode\(/,
  replace: 'globalThis.loomChaos.ran(slot.at.stream, slot.key);\n    const run = await runCode(',
};

/** The source with the edits made. @throws RangeError (E1) */
export function edited(source: string, edits: readonly Edit[]): string {
  return edits.reduce((text, { file, find, replace }) => {
    if (!find.test(text)) throw new RangeError(`${file} has changed: there is no ${find}`);
    return text.replace(find, replace);
  }, source);
}
