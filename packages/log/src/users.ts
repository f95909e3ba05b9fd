/**
 * Who may say and hear what on NATS: one user a service, allow-lists only.
 * U1  A service publishes facts under its own source alone; the orchestrator also under `timer` and the workers' slots.
 * U2  Only `setup` makes or changes streams and durables; only `retention` purges and erases.
 * U3  `setup` also fills the scratch streams of a replay (`replay.>`); the operator hears what is served there, and nobody else.
 * U4  Everybody's replies come to an inbox of their own.
 * U5  An analyst reads its own durables and the schemas, and nothing else (`analysts.ts`).
 */
import { rowOf, timerConsumer, timerStream } from './consumers.ts';
import { hintSubjects } from './hints.ts';
import { streamNames } from './subjects.ts';

export type NatsUser = ServiceUser | Analyst;

/** See `analysts.ts`. */
export type Analyst = `analyst-${string}`;

type ServiceUser =
  | 'gateway'
  | 'orchestrator'
  | 'agent-runner'
  | 'sandbox'
  | 'billing'
  | 'audit'
  | 'retention'
  | 'evals'
  | 'operator'
  | 'setup';

interface Allowed {
  readonly publish: readonly string[];
  readonly subscribe: readonly string[];
}

const api = '$JS.API';
const anyFact = 'loom.*.*.*.*';
const own = (source: string): string => `${anyFact}.${source}.>`;
const hears = (user: string): readonly string[] => [`_INBOX_${user}.>`];

/** From any replica, and single facts from the leader. */
const readsLog = (events: readonly string[]): string[] =>
  events.flatMap((stream) =>
    [`DIRECT.GET.${stream}`, `DIRECT.GET.${stream}.>`, `STREAM.MSG.GET.${stream}`].map((call) => `${api}.${call}`),
  );
const readsBySubject = (events: readonly string[], subjects: readonly string[]): string[] =>
  events.flatMap((stream) => subjects.map((subject) => `${api}.DIRECT.GET.${stream}.${subject}`));
/** What a service is asked to do: a redrive names one of these, and it is read again. */
const requestsOf = (service: string): string[] =>
  (rowOf(service)?.facts ?? []).map((pattern) => `${anyFact}.${pattern}`);
const knowsStreams = (events: readonly string[]): string[] => events.map((stream) => `${api}.STREAM.INFO.${stream}`);

/** Acks have two forms; 2.15 uses the second. */
function consumes(stream: string, durable: string): string[] {
  return [
    `${api}.CONSUMER.INFO.${stream}.${durable}`,
    `${api}.CONSUMER.MSG.NEXT.${stream}.${durable}`,
    `$JS.ACK.${stream}.${durable}.>`,
    `$JS.ACK.*.*.${stream}.${durable}.>`,
  ];
}

/** Leased durables may be set back to their own ack floor by who takes them over. */
function durables(service: string, events: readonly string[]): string[] {
  const row = rowOf(service);
  if (row === undefined) return [];
  const leases = [`$KV.loom_leases.${service}.>`, `${api}.DIRECT.GET.KV_loom_leases.$KV.loom_leases.${service}.>`];
  const resets = events.map((stream) => `${api}.CONSUMER.RESET.${stream}.${service}`);
  return [...events.flatMap((stream) => consumes(stream, service)), ...(row.leased ? [...leases, ...resets] : [])];
}

const readsKeys = [`${api}.DIRECT.GET.KV_loom_keys.$KV.loom_keys.>`];
/** An operator's acts are on record under the operators' own tenant and person (`operator`), whose keys the first of them makes. */
const operatorsKeys = [
  '$KV.loom_keys.tenant._',
  `$KV.loom_keys.person.${Buffer.from('operator').toString('base64url')}`,
];
const makesKeys = ['$KV.loom_keys.>', ...readsKeys];
const readsBlobs = [`${api}.DIRECT.GET.OBJ_loom_blobs`, `${api}.DIRECT.GET.OBJ_loom_blobs.>`];
const makesBlobs = ['$O.loom_blobs.>', ...readsBlobs];

type Rights = (events: readonly string[]) => Allowed;

/** What every service has: its own source, its durables, a look at the streams' settings. */
const service =
  (name: string, more: readonly string[], listens: readonly string[] = []): Rights =>
  (events) => ({
    publish: [own(name), ...knowsStreams(events), ...durables(name, events), ...more],
    subscribe: [...hears(name), ...listens],
  });

/** The same for those who may read any fact. */
const reader =
  (name: string, more: readonly string[], listens: readonly string[] = []): Rights =>
  (events) =>
    service(name, [...readsLog(events), ...more], listens)(events);

const slots = ['agent-runner.step.settled.*', 'agent-runner.tool.settled.*', 'sandbox.tool.settled.*'];
const timers = [own('timer'), 'timers.>', `${api}.STREAM.INFO.${timerStream}`, ...consumes(timerStream, timerConsumer)];
const readsSnapshots = [`${api}.DIRECT.GET.KV_loom_snapshots`];
const makesSnapshots = ['$KV.loom_snapshots.>', ...readsSnapshots];

const readsSchemas = [`${api}.DIRECT.GET.KV_loom_schemas.$KV.loom_schemas.>`];

const rights: Readonly<Record<ServiceUser, Rights>> = {
  gateway: reader('gateway', [...makesKeys, ...makesBlobs, ...readsSnapshots], ['live.>', ...hintSubjects.gateway]),
  orchestrator: reader('orchestrator', [
    ...slots.map((slot) => `${anyFact}.${slot}`),
    ...timers,
    ...makesSnapshots,
    ...makesKeys,
    ...makesBlobs,
  ]),
  'agent-runner': reader(
    'agent-runner',
    ['live.>', ...readsKeys, ...makesBlobs, ...readsSnapshots],
    hintSubjects['agent-runner'],
  ),
  sandbox: (events) =>
    service(
      'sandbox',
      [...readsBySubject(events, [...hintSubjects.sandbox, ...requestsOf('sandbox'), own('sandbox')]), ...makesBlobs],
      hintSubjects.sandbox,
    )(events),
  billing: reader('billing', []),
  audit: reader('audit', []),
  retention: (events) =>
    reader('retention', [
      ...makesKeys,
      ...makesBlobs,
      ...events.map((stream) => `${api}.STREAM.PURGE.${stream}`),
      `${api}.STREAM.MSG.DELETE.KV_loom_keys`,
      `${api}.STREAM.MSG.DELETE.OBJ_loom_blobs`,
      `${api}.STREAM.PURGE.KV_loom_snapshots`,
    ])(events),
  evals: reader('evals', [...readsKeys, ...readsBlobs]),
  operator: reader(
    'operator',
    [...readsKeys, ...operatorsKeys, ...readsBlobs, ...readsSnapshots, ...readsSchemas],
    ['live.>', 'replay.>', ...hintSubjects.operator],
  ),
  setup: () => ({
    publish: [
      `${api}.INFO`,
      `${api}.STREAM.>`,
      `${api}.CONSUMER.>`,
      `${api}.DIRECT.GET.>`,
      '$KV.loom_schemas.>',
      'replay.>',
    ],
    subscribe: hears('setup'),
  }),
};

/** U5 */
const analyst =
  (user: Analyst): Rights =>
  (events) => ({
    publish: [...events.flatMap((stream) => consumes(stream, user)), ...readsSchemas],
    subscribe: hears(user),
  });

/** What one user may do on a log of `streams` event streams. */
export const allowed = (user: NatsUser, streams: number): Allowed =>
  (isAnalyst(user) ? analyst(user) : rights[user])(streamNames(streams));

export const isAnalyst = (name: string): name is Analyst => name.startsWith('analyst-');
const isUser = (name: string): name is NatsUser => isAnalyst(name) || Object.hasOwn(rights, name);

/** The `authorization { users: [...] }` block of nats.conf for the users that have a password here. @throws RangeError for an unknown user */
export function natsUsers(passwords: Readonly<Record<string, string>>, streams = 4): string {
  const users = Object.entries(passwords).map(([user, password]) => {
    if (!isUser(user)) throw new RangeError(`no such NATS user: ${user}`);
    const { publish, subscribe } = allowed(user, streams);
    const permissions = `{ publish: { allow: ${JSON.stringify(publish)} }, subscribe: { allow: ${JSON.stringify(subscribe)} } }`;
    return `    { user: ${JSON.stringify(user)}, password: ${JSON.stringify(password)}, permissions: ${permissions} }`;
  });
  return `authorization {\n  users: [\n${users.join(',\n')}\n  ]\n}\n`;
}
