import { createHash } from 'node:crypto';
import { Type, type Static, type TSchema } from 'typebox';
import { Value } from 'typebox/value';
import type { ToolSpec } from '@loom/models';
import type { Bodies } from '@loom/schemas';

export type AgentKind = Bodies['agent.spawned']['kind'];

/** Who does a tool's work: the decider itself, the agent-runner, or the sandbox. */
export type ToolHome = 'decider' | 'runner' | 'sandbox';

const closed = { additionalProperties: false } as const;
const Text = (description: string, maxLength: number) => Type.String({ description, minLength: 1, maxLength });

export const SubmitPlan = Type.Object(
  {
    agents: Type.Array(
      Type.Object(
        {
          id: Type.String({
            description: 'Your own short name for the agent, used in `needs`.',
            minLength: 1,
            maxLength: 64,
          }),
          role: Text('What it is, e.g. "package analyst".', 200),
          task: Text('What it is to find out or make, complete in itself.', 8000),
          needs: Type.Optional(Type.Array(Type.String(), { description: 'Ids of agents whose results it waits for.' })),
          required: Type.Optional(Type.Boolean({ description: 'Whether the job is lost without it. Default false.' })),
          files: Type.Optional(
            Type.Array(Type.String(), { description: 'Names of the attachments that it works on.' }),
          ),
        },
        closed,
      ),
      { minItems: 1 },
    ),
  },
  closed,
);
export const Decline = Type.Object(
  {
    code: Type.Union(
      (['prohibited_use', 'out_of_scope', 'ambiguous', 'needs_human', 'content_policy'] as const).map((code) =>
        Type.Literal(code),
      ),
    ),
    reason: Text('Why, for the person who asked.', 2000),
  },
  closed,
);
export const AskUser = Type.Object(
  { question: Text('One question, with the choices if there are any.', 4000) },
  closed,
);
export const Delegate = Type.Object(
  {
    role: Text('What the helper is.', 200),
    task: Text('Its task, complete in itself.', 8000),
    files: Type.Optional(Type.Array(Type.String(), { description: 'Attachments that it works on.' })),
  },
  closed,
);
export const WriteArtifact = Type.Object(
  {
    path: Text('Where, under final/, e.g. final/report.md.', 255),
    content: Type.String({ description: 'The whole file as text.' }),
  },
  closed,
);
export const ReadAttachment = Type.Object(
  {
    name: Text('Name of the attachment.', 255),
    offset: Type.Optional(Type.Integer({ minimum: 0, description: 'First character; default 0.' })),
    limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 32768, description: 'Characters; default 32768.' })),
  },
  closed,
);
export const RunCode = Type.Object(
  {
    language: Type.Union([Type.Literal('python'), Type.Literal('node')]),
    code: Text(
      'The program. Its working directory holds the files; what it writes under ./final/ is handed back.',
      200_000,
    ),
    files: Type.Optional(
      Type.Array(Type.String(), { description: 'Attachments or artifacts to lay beside it; default your own files.' }),
    ),
  },
  closed,
);

interface Tool {
  readonly home: ToolHome;
  readonly kinds: readonly AgentKind[];
  readonly description: string;
  readonly schema: TSchema;
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
    schema: Type.Object({}, closed),
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
export function parseArgs<S extends TSchema>(
  schema: S,
  json: string,
): { ok: true; args: Static<S> } | { ok: false; problem: string } {
  let args: unknown;
  try {
    args = JSON.parse(json);
  } catch {
    return { ok: false, problem: 'The arguments are not valid JSON.' };
  }
  if (Value.Check(schema, args)) return { ok: true, args };
  const [first] = Value.Errors(schema, args);
  return {
    ok: false,
    problem: `The arguments do not fit the schema: ${first ? `${first.instancePath || '/'} ${first.message}` : 'unknown'}.`,
  };
}
