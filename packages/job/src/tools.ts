import { createHash } from 'node:crypto';
import { Check, Errors, type XSchema, type XStatic } from 'typebox/schema';
import type { ToolSpec } from '@loom/models';
import type { Bodies } from '@loom/schemas';

export type AgentKind = Bodies['agent.spawned']['kind'];

/** Who does a tool's work: the decider itself, the agent-runner, or the sandbox. */
export type ToolHome = 'decider' | 'runner' | 'sandbox';

const closed = <const P, const R extends readonly (keyof P & string)[]>(required: R, properties: P) =>
  ({ type: 'object', required, properties, additionalProperties: false }) as const;
const text = (description: string, maxLength: number) =>
  ({ type: 'string', description, minLength: 1, maxLength }) as const;
const names = (description: string) => ({ type: 'array', items: { type: 'string' }, description }) as const;
const only = <const C extends string>(value: C) => ({ type: 'string', const: value }) as const;

const PlannedAgent = closed(['id', 'role', 'task'], {
  id: text('Your own short name for the agent, used in `needs`.', 64),
  role: text('What it is, e.g. "package analyst".', 200),
  task: text('What it is to find out or make, complete in itself.', 8000),
  needs: names('Ids of agents whose results it waits for.'),
  required: { type: 'boolean', description: 'Whether the job is lost without it. Default false.' },
  files: names('Names of the attachments that it works on.'),
});
export const SubmitPlan = closed(['agents'], { agents: { type: 'array', items: PlannedAgent, minItems: 1 } });
export const Decline = closed(['code', 'reason'], {
  code: {
    anyOf: [
      only('prohibited_use'),
      only('out_of_scope'),
      only('ambiguous'),
      only('needs_human'),
      only('content_policy'),
    ],
  },
  reason: text('Why, for the person who asked.', 2000),
});
export const AskUser = closed(['question'], {
  question: text('One question, with the choices if there are any.', 4000),
});
export const Delegate = closed(['role', 'task'], {
  role: text('What the helper is.', 200),
  task: text('Its task, complete in itself.', 8000),
  files: names('Attachments that it works on.'),
});
export const WriteArtifact = closed(['path', 'content'], {
  path: text('Where, under final/, e.g. final/report.md.', 255),
  content: { type: 'string', description: 'The whole file as text.' },
});
export const ReadAttachment = closed(['name'], {
  name: text('Name of the attachment.', 255),
  offset: { type: 'integer', minimum: 0, description: 'First character; default 0.' },
  limit: { type: 'integer', minimum: 1, maximum: 32768, description: 'Characters; default 32768.' },
});
export const RunCode = closed(['language', 'code'], {
  language: { anyOf: [only('python'), only('node')] },
  code: text(
    'The program. Its working directory holds the files; what it writes under ./final/ is handed back.',
    200_000,
  ),
  files: names('Attachments or artifacts to lay beside it; default your own files.'),
});

interface Tool {
  readonly home: ToolHome;
  readonly kinds: readonly AgentKind[];
  readonly description: string;
  readonly schema: XSchema;
}

const everyone = ['planner', 'worker', 'writer'] as const;
const makers = ['worker', 'writer'] as const;

/** The tool set. A tool's home says which service does it; its kinds say which agents may call it. */
export const TOOLS: Readonly<Record<string, Tool>> = {
  submit_plan: {
    home: 'decider',
    kinds: ['planner'],
    schema: SubmitPlan,
    description:
      'Hand in the plan: the agents that will work, side by side where `needs` allows. A writer who makes the final files is always added after them.',
  },
  decline: {
    home: 'decider',
    kinds: ['planner'],
    schema: Decline,
    description:
      'Refuse the brief: it is prohibited, out of scope, ambiguous beyond what a question could mend, or needs a human decision.',
  },
  ask_user: {
    home: 'decider',
    kinds: everyone,
    schema: AskUser,
    description: 'Ask the person who wrote the brief. Work goes on when they answer.',
  },
  delegate: {
    home: 'decider',
    kinds: ['worker'],
    schema: Delegate,
    description: 'Give a part of your task to a helper agent and get its result.',
  },
  write_artifact: {
    home: 'runner',
    kinds: makers,
    schema: WriteArtifact,
    description: 'Write a text file that is handed to the person.',
  },
  read_attachment: {
    home: 'runner',
    kinds: everyone,
    schema: ReadAttachment,
    description: 'Read a part of an attachment as text.',
  },
  list_files: {
    home: 'runner',
    kinds: everyone,
    schema: { type: 'object', properties: {}, additionalProperties: false },
    description: 'List the attachments and the files written so far.',
  },
  run_code: {
    home: 'sandbox',
    kinds: makers,
    schema: RunCode,
    description:
      'Run Python 3 (numpy, pandas, matplotlib) or Node in a sealed container: no network, 512 MB of memory, half a CPU, 30 seconds.',
  },
};

/** Version of the tool set: hash of all that a model is told of it. */
export const TOOLSET: string = createHash('sha256').update(JSON.stringify(TOOLS)).digest('hex').slice(0, 16);

/** The tools that agents of a kind are told of. */
export function toolSpecs(kind: AgentKind): readonly ToolSpec[] {
  const known = specs.get(kind) ?? specsOf(kind);
  specs.set(kind, known);
  return known;
}

const specs = new Map<AgentKind, readonly ToolSpec[]>();

function specsOf(kind: AgentKind): readonly ToolSpec[] {
  return Object.entries(TOOLS)
    .filter(([, tool]) => tool.kinds.includes(kind))
    .map(([name, { description, schema }]) => ({
      name,
      description,
      parameters: schema as unknown as Readonly<Record<string, unknown>>,
    }));
}

/** Arguments as the tool's schema wants them, or what is wrong in words for the model. */
export function parseArgs<S extends XSchema>(
  schema: S,
  json: string,
): { ok: true; args: XStatic<S> } | { ok: false; problem: string } {
  let args: unknown;
  try {
    args = JSON.parse(json);
  } catch {
    return { ok: false, problem: 'The arguments are not valid JSON.' };
  }
  const fits: boolean = Check(schema, args);
  if (fits) return { ok: true, args: args as XStatic<S> };
  const [, [first]] = Errors(schema, args);
  return {
    ok: false,
    problem: `The arguments do not fit the schema: ${first ? `${first.instancePath || '/'} ${first.message}` : 'unknown'}.`,
  };
}
