/** The manifests as Kubernetes would be given them: rendered by kubectl, read as objects. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { bringChecker } from '@loom/cli';
import { parseAllDocuments } from 'yaml';

const run = promisify(execFile);

/** The checkout. */
export const root = fileURLToPath(new URL('../..', import.meta.url));
export const overlays = ['local', 'production'] as const;

interface Reference {
  readonly name: string;
  readonly key: string;
  readonly optional?: boolean;
}

export interface Variable {
  readonly name: string;
  readonly value?: string;
  readonly valueFrom?: { readonly secretKeyRef?: Reference; readonly configMapKeyRef?: Reference };
}

export interface Container {
  readonly name: string;
  readonly image: string;
  readonly args?: readonly string[];
  readonly env?: readonly Variable[];
  readonly envFrom?: readonly { readonly configMapRef?: { readonly name: string } }[];
  readonly resources?: { readonly requests?: Record<string, string>; readonly limits?: Record<string, string> };
  readonly securityContext?: {
    readonly allowPrivilegeEscalation?: boolean;
    readonly readOnlyRootFilesystem?: boolean;
    readonly privileged?: boolean;
    readonly runAsUser?: number;
    readonly capabilities?: { readonly drop?: readonly string[]; readonly add?: readonly string[] };
  };
  readonly startupProbe?: Probe;
  readonly readinessProbe?: Probe;
  readonly livenessProbe?: Probe;
  readonly volumeMounts?: readonly { readonly name: string; readonly mountPath: string; readonly readOnly?: boolean }[];
}

interface Probe {
  readonly httpGet?: { readonly path: string; readonly port: string };
  readonly exec?: object;
}

export interface PodSpec {
  readonly automountServiceAccountToken?: boolean;
  readonly hostNetwork?: boolean;
  readonly hostPID?: boolean;
  readonly runtimeClassName?: string;
  readonly securityContext?: {
    readonly runAsNonRoot?: boolean;
    readonly runAsUser?: number;
    readonly seccompProfile?: { readonly type: string };
  };
  readonly topologySpreadConstraints?: readonly { readonly topologyKey: string }[];
  readonly initContainers?: readonly Container[];
  readonly containers: readonly Container[];
  readonly volumes?: readonly { readonly name: string; readonly hostPath?: object; readonly secret?: object }[];
}

type Labels = Readonly<Record<string, string>>;
interface Selector {
  readonly matchLabels?: Labels;
}

interface Peer {
  readonly podSelector?: Selector;
  readonly namespaceSelector?: Selector;
  readonly ipBlock?: { readonly cidr: string; readonly except?: readonly string[] };
}

interface Rule {
  readonly from?: readonly Peer[];
  readonly to?: readonly Peer[];
  readonly ports?: readonly { readonly port: number }[];
}

/** As much of any object as the tests look at. */
export interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string; readonly labels?: Labels };
  readonly data?: Readonly<Record<string, string>>;
  readonly spec: {
    readonly replicas?: number;
    readonly selector: Selector;
    readonly podSelector?: Selector;
    readonly policyTypes?: readonly string[];
    readonly ingress?: readonly Rule[];
    readonly egress?: readonly Rule[];
    readonly template: { readonly metadata: { readonly labels: Labels }; readonly spec: PodSpec };
    readonly scaleTargetRef?: { readonly name: string };
    readonly advanced?: { readonly scalingModifiers?: { readonly formula: string } };
    readonly triggers?: readonly { readonly type: string; readonly name?: string; readonly metadata: Labels }[];
    readonly data?: readonly { readonly secretKey: string }[];
  };
}

/** Every object of a folder below `deploy/k8s`. */
export async function rendered(folder: string): Promise<readonly Manifest[]> {
  const kubectl = await bringChecker('kubectl');
  const { stdout } = await run(kubectl, ['kustomize', join(root, 'deploy/k8s', folder)], { maxBuffer: 2 ** 26 });
  return parseAllDocuments(stdout).map((document) => document.toJS() as Manifest);
}

export const ofKind = (all: readonly Manifest[], ...kinds: readonly string[]): readonly Manifest[] =>
  all.filter(({ kind }) => kinds.includes(kind));

/** What runs pods, but for the database of a trial. */
export const loads = (all: readonly Manifest[]): readonly Manifest[] => ofKind(all, 'Deployment', 'Job', 'StatefulSet');

export const containersOf = ({ spec }: Manifest): readonly Container[] => [
  ...(spec.template.spec.initContainers ?? []),
  ...spec.template.spec.containers,
];

export const nameOf = ({ kind, metadata }: Manifest): string => `${kind} ${metadata.namespace ?? ''}/${metadata.name}`;

/** Whether a selector chooses a pod: an empty one chooses all. */
export const chooses = (selector: Selector | undefined, labels: Labels): boolean =>
  Object.entries(selector?.matchLabels ?? {}).every(([name, value]) => labels[name] === value);
