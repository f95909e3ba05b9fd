/**
 * A model whose workers wait for each other: all of a job answer in the same moment, but one who is mute. `GATHER n` has n workers;
 * `SWARM n` has n agents, planner and writer with them, most of them helpers of some leads: no plan may have so many.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Answer, Asked, Script } from '../../test/emulators/script.ts';

const heard = ({ turns }: Asked): string =>
  turns.flatMap((turn) => (turn.role === 'user' ? [turn.text] : [])).join('\n');
const rounds = ({ turns }: Asked): number => turns.filter(({ role }) => role === 'assistant').length;

/** Longest wait for the others, ms: of up to a hundred well below a step's deadline, which on a slow machine they would miss. */
const patienceFor = (size: number): number => (size > 100 ? 60 * size : 2_000);

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
  await Promise.race([circle.whole.promise, sleep(patienceFor(size), undefined, { ref: false })]);
}

let plans = 0;

const leads = 6;

function plan(asked: Asked): Answer {
  const [, kind, said = '1', mute] = /(GATHER|SWARM) (\d+)( MUTE)?/.exec(heard(asked)) ?? [];
  const count = Number(said);
  plans += 1;
  const task = (at: number): string => {
    if (kind === 'SWARM') return `LEAD p${plans} ${at} ${count - 2 - leads}`;
    return `MEET p${plans} ${count}${mute !== undefined && at === 0 ? ' MUTE' : ''}`;
  };
  const agents = Array.from({ length: kind === 'SWARM' ? leads : count }, (_, at) => ({
    id: `w${at}`,
    role: 'worker',
    task: task(at),
  }));
  return { calls: [{ name: 'submit_plan', args: { agents } }] };
}

/** Gives its share of so many helpers their task, and is done when they are. */
function lead(asked: Asked, [, name = '', at = '0', size = '0']: readonly string[]): Answer {
  if (rounds(asked) > 0) return { text: 'Those whom I asked have met.' };
  const share = Math.floor(Number(size) / leads) + (Number(at) < Number(size) % leads ? 1 : 0);
  const args = { role: 'helper', task: `MEET ${name} ${size}` };
  return { calls: Array.from({ length: share }, () => ({ name: 'delegate', args })) };
}

/** The writer is the one who may not delegate. */
export const gathering: Script = async (asked) => {
  if (asked.tools.includes('submit_plan')) return plan(asked);
  if (!asked.tools.includes('delegate'))
    return rounds(asked) > 0
      ? { text: 'Written.' }
      : { calls: [{ name: 'write_artifact', args: { path: 'final/report.md', content: 'All met.\n' } }] };
  const leading = /LEAD (\w+) (\d+) (\d+)/.exec(heard(asked));
  if (leading !== null) return lead(asked, leading);
  const [, name = '', size = '1', mute] = /MEET (\w+) (\d+)( MUTE)?/.exec(heard(asked)) ?? [];
  // It answers nobody: an answer that came later would be in the book, or not.
  if (mute !== undefined) return { fault: 'slow', ms: 600_000 };
  await meet(name, Number(size) - (heard(asked).includes('MUTE') ? 1 : 0));
  return { text: 'We met.' };
};
