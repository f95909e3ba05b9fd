/** `./loom export`: the log's metadata as files for analysts. */
import { operatorOn } from '../check/stack.ts';
import { exportLog } from '../export/export.ts';
import { formats, type Format, type Wish } from '../export/manifest.ts';
import { Failure } from '../failure.ts';
import type { Output } from '../output.ts';
import { homeOf } from '../root.ts';
import { act, type Register } from './command.ts';

interface Options {
  readonly format: string;
  readonly out: string;
  readonly since?: string;
  readonly until?: string;
  readonly tenant?: string;
  readonly part: string;
}

function momentOf(option: string, text: string | undefined): string | null {
  if (text === undefined) return null;
  const ms = Date.parse(text);
  if (Number.isNaN(ms))
    throw new Failure(2, `${option} takes a day like 2026-11-20 or a time like 2026-11-20T10:00:00Z, not ${text}`);
  return new Date(ms).toISOString();
}

const isFormat = (text: string): text is Format => (formats as readonly string[]).includes(text);

/** @throws Failure 2 */
function wishOf({ format, ...options }: Options): Wish {
  const tenant = options.tenant ?? null;
  if (!isFormat(format)) throw new Failure(2, `--format takes ${formats.join(', ')}, not ${format}`);
  if (tenant !== null && !/^[a-z0-9_-]{1,160}$/.test(tenant))
    throw new Failure(2, `--tenant takes a token of the log, not ${tenant}`, ['./loom events --json shows them']);
  const [since, until] = [momentOf('--since', options.since), momentOf('--until', options.until)];
  if (since !== null && until !== null && since >= until) throw new Failure(2, '--until is not after --since');
  return { format, tenant, since, until };
}

async function run(options: Options, out: Output): Promise<void> {
  const wish = wishOf(options);
  const most = Number(options.part);
  if (!Number.isInteger(most) || most < 1 || most > 1_000_000)
    throw new Failure(2, `--part takes 1 to 1000000, not ${options.part}`);
  const { log: reached } = await operatorOn(homeOf(process.env), false);
  await using log = reached;
  const progress = out.task('export');
  try {
    const { facts, rounds, unreadable } = await exportLog(log, { ...wish, folder: options.out, most, progress });
    progress.done(`${facts} facts in ${options.out}`);
    for (const one of unreadable) out.note(`${one.log} ${one.seq} is left out: ${one.code}`);
    out.print(`${facts} facts in ${options.out}, in ${rounds} rounds of parts; the same command goes on from here`);
    out.record({ out: options.out, ...wish, facts, rounds, unreadable });
  } catch (cause) {
    progress.failed();
    throw cause;
  }
}

export const exportCommand: Register = (program) => {
  const command = program
    .command('export')
    .description('metadata of the log as files by day and tenant, never content; run again it goes on where it stood')
    .requiredOption('--format <format>', formats.join(', '))
    .requiredOption('--out <folder>', 'where the files go: day=YYYY-MM-DD/tenant=…/part-….<format>, and manifest.json')
    .option('--since <time>', 'facts from this day or time on')
    .option('--until <time>', 'facts before this day or time')
    .option('--tenant <tenant>', 'of this tenant alone')
    .option('--part <facts>', 'facts that are held and written at once', '50000');
  const examples = [
    './loom export --format parquet --out events',
    './loom export --format avro --out november --since 2026-11-01 --until 2026-12-01',
    'duckdb -c "from read_parquet(\'events/*/*/*.parquet\', hive_partitioning = true) limit 5"',
  ];
  act<Options>(command, examples, ({ options, out }) => run(options, out));
};
