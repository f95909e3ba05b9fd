/** `./loom doctor`: every part, whether it is there, and how to get it. */
import type { Output } from '../output.ts';
import { messageOf, missing } from '../failure.ts';
import { parts } from '../parts/index.ts';
import type { Found, Part } from '../parts/part.ts';
import { act, type Register } from './command.ts';

async function fixOrFind(part: Part, out: Output, fix: boolean): Promise<Found | null> {
  if (!fix) return part.find();
  return part.bring(out).catch((cause: unknown) => {
    out.note(`${part.name}: ${messageOf(cause)}`);
    return null;
  });
}

/** Says how a part is; true when it is there, or only tests would miss it. */
async function examine(part: Part, out: Output, fix: boolean): Promise<boolean> {
  const found = await fixOrFind(part, out, fix);
  out.record({ part: part.name, found: found !== null, ...found, how: part.how });
  out.print(line(part.name, found));
  if (!found) for (const one of part.how) out.print(`    → ${one}`);
  return found !== null || part.forTests === true;
}

function line(name: string, found: Found | null): string {
  return `${found ? '✓' : '✗'} ${name.padEnd(16)} ${found ? `${found.version}  ${found.where}` : 'missing'}`;
}

export const doctor: Register = (program) => {
  const command = program
    .command('doctor')
    .description('every part: found, version, how to get it')
    .option('--fix', 'get what is missing');
  act<{ fix?: boolean }>(command, ['./loom doctor', './loom doctor --fix'], async ({ options, out }) => {
    out.record({ part: 'Node', found: true, version: process.versions.node, where: process.execPath, how: [] });
    out.print(line('Node', { version: process.versions.node, where: process.execPath }));
    let complete = true;
    for (const part of parts) complete = (await examine(part, out, options.fix === true)) && complete;
    if (!complete)
      throw missing('something is missing', './loom doctor --fix gets what this machine can get by itself');
  });
};
