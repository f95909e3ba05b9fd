import type { Situation } from '@loom/models';
import { HONEST } from './findings.ts';
import { type Reply, call } from './reply.ts';

const MOST_AGENTS = 6;
const quoted = (name: string): string => JSON.stringify(name);

/** Files dealt out to at most six analysts, one each while they last. */
function deal(names: readonly string[]): readonly (readonly string[])[] {
  const hands: string[][] = Array.from({ length: Math.min(MOST_AGENTS, names.length) }, () => []);
  names.forEach((name, at) => hands[at % hands.length]?.push(name));
  return hands;
}

function analyst(files: readonly string[], at: number, alone: boolean): object {
  const names = files.map(quoted).join(', ');
  return {
    id: `analyst-${at + 1}`,
    role: `Analyst of ${names}`.slice(0, 190),
    files,
    required: alone,
    task: `Profile ${names} by running code in the sandbox, draw a chart, and answer what the brief asks of it.`.slice(
      0,
      7900,
    ),
  };
}

/** One analyst a file; without files one worker who can only say what needs a model. */
export function plan({ attachments }: Situation): Reply {
  const hands = deal([...new Set(attachments.map(({ name }) => name))]);
  const nobody = {
    id: 'analyst-1',
    role: 'Reader of the brief',
    files: [],
    required: false,
    task: 'There is no file to compute from: say which questions of the brief need a model.',
  };
  const agents = hands.length === 0 ? [nobody] : hands.map((files, at) => analyst(files, at, hands.length === 1));
  return {
    text: `${HONEST} One analyst for each attached file, then a writer.`,
    calls: [call('plan', 'submit_plan', { agents })],
  };
}
