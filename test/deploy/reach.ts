/** Who may reach whom, by the network policies: what a cluster's network does with them, for pods and for addresses. */
import { BlockList } from 'node:net';
import { chooses, ofKind } from './manifests.ts';
import type { Manifest } from './manifests.ts';

/** A pod, or any address outside. */
export type Place =
  | { readonly namespace: string; readonly labels: Readonly<Record<string, string>> }
  | { readonly address: string };

type Rule = NonNullable<Manifest['spec']['ingress']>[number];
type Peer = NonNullable<Rule['from']>[number];

const inRange = (address: string, cidr: string): boolean => {
  const [net = '', bits = ''] = cidr.split('/');
  const family = net.includes(':') ? 'ipv6' : 'ipv4';
  if (address.includes(':') !== (family === 'ipv6')) return false;
  const list = new BlockList();
  list.addSubnet(net, Number(bits), family);
  return list.check(address, family);
};

function admits(peer: Peer, own: string, other: Place): boolean {
  if ('address' in other) {
    const { cidr, except = [] } = peer.ipBlock ?? { cidr: '' };
    return cidr !== '' && inRange(other.address, cidr) && !except.some((range) => inRange(other.address, range));
  }
  if (peer.ipBlock !== undefined) return false;
  const here = peer.namespaceSelector === undefined;
  const inNamespace = here
    ? other.namespace === own
    : chooses(peer.namespaceSelector, { 'kubernetes.io/metadata.name': other.namespace });
  return inNamespace && chooses(peer.podSelector, other.labels);
}

const opens = (rule: Rule, peers: readonly Peer[] | undefined, own: string, other: Place, port: number): boolean =>
  (rule.ports === undefined || rule.ports.some((one) => one.port === port)) &&
  (peers === undefined || peers.some((peer) => admits(peer, own, other)));

/** One side's word: policies that choose the pod forbid all that none of them opens. */
function lets(all: readonly Manifest[], side: 'Ingress' | 'Egress', own: Place, other: Place, port: number): boolean {
  if ('address' in own) return true;
  const choosing = ofKind(all, 'NetworkPolicy').filter(
    ({ metadata, spec }) =>
      metadata.namespace === own.namespace &&
      chooses(spec.podSelector, own.labels) &&
      spec.policyTypes?.includes(side) === true,
  );
  if (choosing.length === 0) return true;
  return choosing.some(({ spec }) =>
    (side === 'Ingress' ? spec.ingress : spec.egress)?.some((rule) =>
      opens(rule, side === 'Ingress' ? rule.from : rule.to, own.namespace, other, port),
    ),
  );
}

export const mayReach = (all: readonly Manifest[], from: Place, to: Place, port: number): boolean =>
  lets(all, 'Egress', from, to, port) && lets(all, 'Ingress', to, from, port);
