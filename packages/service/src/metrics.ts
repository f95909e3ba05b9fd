/**
 * Owns the process's one meter provider: several services beside each other share it, attribute `service` tells them apart.
 * Names and attributes are OpenTelemetry's where its semantic conventions have one; a unit stands at the end of the name, as Prometheus spells it.
 */
import type { Attributes } from '@opentelemetry/api';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { MeterProvider, PrometheusExporter, PrometheusSerializer, diag } from './otel.ts';

const exposition = new PrometheusExporter({ preventServerStart: true });
const serializer = new PrometheusSerializer(undefined, false, undefined, true, true);
const meter = new MeterProvider({ readers: [exposition] }).getMeter('loom');

/** Tells the value that one of the figures has at this scrape. */
type Tell<N extends string> = (name: N, value: number, attributes?: Attributes) => void;

/** The values that are told of one name: now, and whatever was ever told. */
interface Told {
  readonly now: Map<string, number>;
  readonly ever: Map<string, Attributes>;
}

const observed = new Map<string, Told>();
const readers = new Set<() => void | Promise<void>>();

/** The library keeps showing what was told once; what is not told any more becomes no number, and is left out by `scrape`. */
function observable(name: string, kind: 'Gauge' | 'Counter', description: string): Told {
  const there = observed.get(name);
  if (there !== undefined) return there;
  const told: Told = { now: new Map(), ever: new Map() };
  meter[`createObservable${kind}`](name, { description }).addCallback((result) => {
    for (const [key, attributes] of told.ever) result.observe(told.now.get(key) ?? Number.NaN, attributes);
  });
  observed.set(name, told);
  return told;
}

/** Counters, histograms and gauges, served by /metrics. Names end in their unit (`_total` is added to counters). Never content in attributes. */
export const metrics = {
  counter(name: string, help: string): { add(n: number, attributes?: Attributes): void } {
    return meter.createCounter(name, { description: help });
  },
  /** Goes up and down; a gauge to whoever reads it. */
  level(name: string, help: string): { add(n: number, attributes?: Attributes): void } {
    return meter.createUpDownCounter(name, { description: help });
  },
  histogram(
    name: string,
    help: string,
    buckets?: readonly number[],
  ): { record(n: number, attributes?: Attributes): void } {
    const advice = buckets === undefined ? {} : { advice: { explicitBucketBoundaries: [...buckets] } };
    return meter.createHistogram(name, { description: help, ...advice });
  },
  /** `read` is called at each scrape. */
  gauge(name: string, help: string, read: () => number): void {
    meter.createObservableGauge(name, { description: help }).addCallback((result) => {
      result.observe(read());
    });
  },
  /** Values that are looked up together at each scrape, by name and help; the function returned ends it. What `read` does not tell is not shown. */
  observe<N extends string>(
    kind: 'Gauge' | 'Counter',
    help: Readonly<Record<N, string>>,
    read: (tell: Tell<N>) => void | Promise<void>,
  ): () => void {
    const names = Object.keys(help) as N[];
    const all = new Map(names.map((name) => [name, observable(name, kind, help[name])]));
    const reader = (): void | Promise<void> =>
      read((name, value, attributes = {}) => {
        const key = JSON.stringify(attributes);
        all.get(name)?.now.set(key, value);
        all.get(name)?.ever.set(key, attributes);
      });
    readers.add(reader);
    return () => void readers.delete(reader);
  },
} as const;

async function exposed(): Promise<string> {
  for (const { now } of observed.values()) now.clear();
  await Promise.allSettled([...readers].map(async (reader) => reader()));
  const { resourceMetrics, errors } = await exposition.collect();
  if (errors.length > 0) diag.error('some figures could not be collected', ...errors);
  const lines = serializer.serialize(resourceMetrics).split('\n');
  return lines.filter((line) => !line.endsWith(' NaN')).join('\n');
}

let turn: Promise<unknown> = Promise.resolve();

/** Answers a scrape in Prometheus text format. One after the other: what is told belongs to one of them. */
export function scrape(_request: IncomingMessage, response: ServerResponse): void {
  const text = turn.then(exposed);
  turn = text.catch(() => undefined);
  text.then(
    (body) => response.writeHead(200, { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' }).end(body),
    () => response.writeHead(500).end(),
  );
}
