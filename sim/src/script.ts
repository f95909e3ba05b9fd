/** What the simulated model says: plans that fan out and join, calls of every home, questions, mistakes. */
import type { Random } from '@loom/chaos';
import type { ModelRequest, ToolCall } from '@loom/models';

interface Said {
  readonly text: string;
  readonly calls: readonly ToolCall[];
}

type Wish = readonly [name: string, args: unknown];

const turnsOf = ({ messages }: ModelRequest): number => messages.filter(({ role }) => role === 'assistant').length;

export function say(request: ModelRequest, random: Random): Said {
  const wishes = wishesOf(request, random);
  const calls = wishes.map(([name, args], i) => ({ id: `c${i}`, name, args: JSON.stringify(args) }));
  return { text: calls.length === 0 ? 'Done.' : '', calls };
}

function wishesOf(request: ModelRequest, random: Random): readonly Wish[] {
  const turns = turnsOf(request);
  switch (request.situation.kind) {
    case 'planner':
      return plan(turns, random);
    case 'worker':
      return turns > 0 && random.chance(0.8) ? [] : work(random);
    case 'writer':
      return turns > 0 ? [] : [note('report.md'), ...(random.chance(0.2) ? [['list_files', {}] as Wish] : [])];
  }
}

const note = (name: string): Wish => ['write_artifact', { path: `final/${name}`, content: name }];

function plan(turns: number, random: Random): readonly Wish[] {
  const mood = random.next();
  if (mood < 0.03) return [['decline', { code: 'out_of_scope', reason: 'No.' }]];
  if (turns === 0 && mood < 0.1) return [['ask_user', { question: 'Which?' }]];
  if (turns === 0 && mood < 0.14)
    return [['submit_plan', { agents: [{ id: 'w', role: 'r', task: 't', needs: ['x'] }] }]];
  if (turns === 0 && mood < 0.18) return [];
  const agents = Array.from({ length: 1 + random.below(4) }, (_, i) => ({
    id: `w${i}`,
    role: 'worker',
    task: 'work',
    needs: Array.from({ length: i }, (_none, other) => `w${other}`).filter(() => random.chance(0.4)),
    required: random.chance(0.2),
  }));
  return [['submit_plan', { agents }]];
}

function work(random: Random): readonly Wish[] {
  const wishes: readonly (readonly [number, Wish])[] = [
    [0.5, ['run_code', { language: 'python', code: 'pass' }]],
    [0.3, note(`n${random.below(3)}.txt`)],
    [0.2, ['list_files', {}]],
    [0.08, ['delegate', { role: 'helper', task: 'help' }]],
    [0.05, ['ask_user', { question: 'How?' }]],
    [0.05, ['fly', {}]],
  ];
  return wishes.filter(([chance]) => random.chance(chance)).map(([, wish]) => wish);
}
