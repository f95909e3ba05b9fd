/** Which figures the alerts and dashboards ask for, and which figures an exposition has. */
import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { SyntaxNode } from '@lezer/common';
import { parser } from '@prometheus-io/lezer-promql';
import { parse } from 'yaml';
import { root } from './manifests.ts';

interface Rules {
  readonly groups: readonly {
    readonly rules: readonly { readonly alert: string; readonly expr: string; readonly for?: string }[];
  }[];
}

interface Dashboard {
  readonly panels: readonly { readonly title: string; readonly targets?: readonly { readonly expr: string }[] }[];
}

export const alerts = async (): Promise<Rules['groups'][number]['rules']> =>
  (parse(await readFile(join(root, 'deploy/alerts/rules.yaml'), 'utf8')) as Rules).groups.flatMap(({ rules }) => rules);

/** Every expression by where it stands. */
export async function expressions(): Promise<ReadonlyMap<string, string>> {
  const found = new Map((await alerts()).map(({ alert, expr }) => [alert, expr]));
  const dir = join(root, 'deploy/dashboards');
  for (const file of (await readdir(dir)).filter((name) => name.endsWith('.json'))) {
    const { panels } = JSON.parse(await readFile(join(dir, file), 'utf8')) as Dashboard;
    for (const { title, targets = [] } of panels)
      targets.forEach(({ expr }, at) => found.set(`${file}: ${title} ${at}`, expr));
  }
  return found;
}

/** A figure as it is asked for: its name, and the labels that select among its series or are kept. */
export interface Wanted {
  readonly name: string;
  readonly labels: ReadonlySet<string>;
}

/** Added by Prometheus itself, not by who is asked. */
const fromScrape = new Set(['pod']);

const textsOf = (node: SyntaxNode, kind: string, expression: string): readonly string[] => {
  const found: string[] = [];
  node.cursor().iterate((at) => void (at.name === kind && found.push(expression.slice(at.from, at.to))));
  return found;
};

/** Labels that whatever stands around a series keeps of it. */
function keptOf(node: SyntaxNode, expression: string): readonly string[] {
  const kept: string[] = [];
  for (let at = node.parent; at !== null; at = at.parent) {
    const clause = at.getChild('AggregateModifier') ?? at.getChild('MatchingModifierClause');
    if (clause !== null) kept.push(...textsOf(clause, 'LabelName', expression));
  }
  return kept;
}

/** Every series of a PromQL expression, by the grammar of Prometheus' own editor. @throws when it is no PromQL */
export function wantedBy(expression: string): readonly Wanted[] {
  const found: Wanted[] = [];
  parser.parse(expression).iterate({
    enter({ type, node }) {
      if (type.isError) throw new Error(`no PromQL: ${expression}`);
      if (type.name !== 'VectorSelector') return;
      const [name = ''] = textsOf(node, 'Identifier', expression);
      const labels = [...textsOf(node, 'LabelName', expression), ...keptOf(node, expression)];
      found.push({ name, labels: new Set(labels.filter((label) => !fromScrape.has(label))) });
    },
  });
  return found;
}

/** Labels by name of series, over all its samples. */
export function exposed(text: string): ReadonlyMap<string, ReadonlySet<string>> {
  const found = new Map<string, Set<string>>();
  for (const [, name = '', labels = ''] of text.matchAll(/^([a-z_]\w*)(?:\{(.*)\})? \S+$/gm)) {
    const known = found.get(name) ?? new Set();
    for (const [, label = ''] of labels.matchAll(/(\w+)="/g)) known.add(label);
    found.set(name, known);
  }
  return found;
}
