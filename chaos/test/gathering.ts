/** A model whose workers wait for each other: all of a job answer in the same moment, but one who is mute. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Answer, Asked, Script } from '../../test/emulators/script.ts';

const heard = ({ turns }: Asked): string =>
  turns.flatMap((turn) => (turn.role === 'user' ? [turn.text] : [])).join('\n');
const rounds = ({ turns }: Asked): number => turns.filter(({ role }) => role === 'assistant').length;

/** Longest wait for the others, ms. */
const patience = 2_000;

interface Circle {
  missing: number;
  readonly whole: PromiseWithResolvers<undefined>;
}

const circles = new Map<string, Circle>();

async function meet(name: string, size: number): Promise<void> {
  const circle = circles.get(name) ?? { missing: size, whole: Promise.withResolvers<undefined>() };
  circles.set(name, circle);
  circle.missing -= 1;
  if (circle.missing <= 0) circle.whole.resolve(undefined);
  await Promise.race([circle.whole.promise, sleep(patience, undefined, { ref: false })]);
}

let plans = 0;

function plan(asked: Asked): Answer {
  const [, count = '1', mute] = /GATHER (\d+)( MUTE)?/.exec(heard(asked)) ?? [];
  plans += 1;
  const agents = Array.from({ length: Number(count) }, (_, at) => ({
    id: `w${at}`,
    role: 'worker',
    task: `MEET p${plans} ${count}${mute !== undefined && at === 0 ? ' MUTE' : ''}`,
  }));
  return { calls: [{ name: 'submit_plan', args: { agents } }] };
}

/** The writer is the one who may not delegate. */
export const gathering: Script = async (asked) => {
  if (asked.tools.includes('submit_plan')) return plan(asked);
  if (!asked.tools.includes('delegate'))
    return rounds(asked) > 0
      ? { text: 'Written.' }
      : { calls: [{ name: 'write_artifact', args: { path: 'final/report.md', content: 'All met.\n' } }] };
  const [, name = '', size = '1', mute] = /MEET (\w+) (\d+)( MUTE)?/.exec(heard(asked)) ?? [];
  if (mute !== undefined) return { fault: 'slow', ms: 30_000 };
  await meet(name, Number(size) - (heard(asked).includes('MUTE') ? 1 : 0));
  return { text: 'We met.' };
};
