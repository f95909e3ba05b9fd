/**
 * What of `deploy/` follows from the code, so that the two cannot part: `node deploy/generate.ts` writes it, a test compares.
 * NATS users and their rights, KEDA's triggers for every durable, the alert rules as an object for the Prometheus Operator.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parse, stringify } from 'yaml';
import { consumerTable, timerConsumer, timerStream } from '../packages/log/src/consumers.ts';
import { streamNames } from '../packages/log/src/subjects.ts';
import { allowed, natsUsers } from '../packages/log/src/users.ts';
import type { NatsUser } from '../packages/log/src/users.ts';

/** Event streams of a cluster, and of one machine. */
export const streams = { cluster: 16, machine: 4 } as const;

const users: readonly NatsUser[] = [...consumerTable.map(({ service }) => service as NatsUser), 'operator', 'setup'];
const variableOf = (user: string): string => `LOOM_NATS_PASSWORD_${user.toUpperCase().replaceAll('-', '_')}`;

/** Values for the official Helm chart: `<< $NAME >>` is written into nats.conf without quotes, as a variable. */
function helmUsers(): object {
  const env = users.map((user) => [
    variableOf(user),
    { valueFrom: { secretKeyRef: { name: 'loom-nats', key: user } } },
  ]);
  const authorization = {
    timeout: 5,
    users: users.map((user) => {
      const { publish, subscribe } = allowed(user, streams.cluster);
      const permissions = { publish: { allow: publish }, subscribe: { allow: subscribe } };
      return { user, password: `<< $${variableOf(user)} >>`, permissions };
    }),
  };
  return { container: { env: Object.fromEntries(env) }, config: { merge: { authorization } } };
}

/** The `authorization` block of nats.conf for one machine; passwords are variables of the server's environment. */
function confUsers(): string {
  const passwords = Object.fromEntries(users.map((user) => [user, `$${variableOf(user)}`]));
  return natsUsers(passwords, streams.machine).replaceAll(/password: "(\$\w+)"/g, 'password: $1');
}

/** How a service scales: messages a replica is meant to have before it, and how many replicas there may be. */
const scales: Readonly<Record<string, { readonly lag: number; readonly min: number; readonly max: number }>> = {
  // Turns are coalesced and cheap; a replica keeps 200 in hand.
  orchestrator: { lag: 400, min: 2, max: 16 },
  // 16 calls in hand a replica: three quarters of them, before more are wanted.
  'agent-runner': { lag: 12, min: 2, max: 64 },
  // 8 runs in hand a node.
  sandbox: { lag: 6, min: 2, max: 32 },
  gateway: { lag: 2_000, min: 2, max: 16 },
  // Projections: one replica at a time takes a stream, so more than there are streams would idle.
  billing: { lag: 5_000, min: 2, max: 8 },
  audit: { lag: 5_000, min: 2, max: 8 },
  retention: { lag: 5_000, min: 2, max: 8 },
  evals: { lag: 5_000, min: 2, max: 8 },
};

const monitor = 'loom-nats-headless.loom-nats.svc.cluster.local:8222';

function trigger(stream: string, consumer: string, lag: number): object {
  return {
    type: 'nats-jetstream',
    name: `lag_${stream.toLowerCase()}`,
    metadata: {
      natsServerMonitoringEndpoint: monitor,
      account: '$G',
      stream,
      consumer,
      lagThreshold: String(lag),
    },
  };
}

/** One figure over all streams: the lag of each is a trigger, the sum decides. */
function scaler(service: string): object {
  const { lag, min, max } = scales[service]!;
  const places = streamNames(streams.cluster).map((stream) => ({ stream, consumer: service }));
  if (service === timerConsumer) places.push({ stream: timerStream, consumer: timerConsumer });
  const formula = places.map(({ stream }) => `lag_${stream.toLowerCase()}`).join(' + ');
  const processor = { type: 'cpu', metricType: 'Utilization', metadata: { value: '60' } };
  return {
    apiVersion: 'keda.sh/v1alpha1',
    kind: 'ScaledObject',
    metadata: { name: service, namespace: service === 'sandbox' ? 'loom-sandbox' : 'loom' },
    spec: {
      scaleTargetRef: { name: service },
      minReplicaCount: min,
      maxReplicaCount: max,
      pollingInterval: 10,
      cooldownPeriod: 300,
      // Without figures it stays as large as it was meant to be at least.
      fallback: { failureThreshold: 6, replicas: min + 1 },
      advanced: {
        scalingModifiers: { formula, target: String(lag), metricType: 'AverageValue' },
        // Down slowly: whoever goes hands back what it had in hand.
        horizontalPodAutoscalerConfig: { behavior: { scaleDown: { stabilizationWindowSeconds: 300 } } },
      },
      triggers: [
        ...places.map(({ stream, consumer }) => trigger(stream, consumer, lag)),
        ...(service === 'gateway' ? [processor] : []),
      ],
    },
  };
}

async function operatorRule(): Promise<object> {
  const rules = parse(await readFile(join(import.meta.dirname, 'alerts/rules.yaml'), 'utf8')) as object;
  return {
    apiVersion: 'monitoring.coreos.com/v1',
    kind: 'PrometheusRule',
    metadata: { name: 'loom', namespace: 'loom' },
    spec: rules,
  };
}

const written = '# Written by deploy/generate.ts from the code; change that.\n';
const yaml = (documents: readonly object[]): string =>
  written + documents.map((one) => stringify(one, { lineWidth: 0, aliasDuplicateObjects: false })).join('---\n');

/** Every generated file by its path below `deploy/`. */
export async function generated(): Promise<Readonly<Record<string, string>>> {
  return {
    'k8s/nats/users.yaml': yaml([helmUsers()]),
    'k8s/components/keda/scalers.yaml': yaml(consumerTable.map(({ service }) => scaler(service))),
    'compose/users.conf': written + confUsers(),
    'alerts/prometheus-rule.yaml': yaml([await operatorRule()]),
  };
}

if (import.meta.main) {
  for (const [path, text] of Object.entries(await generated())) await writeFile(join(import.meta.dirname, path), text);
}
