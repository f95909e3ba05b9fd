/**
 * Owns the process's one meter provider: several services beside each other share it, attribute `service` tells them apart.
 * Names and attributes are OpenTelemetry's where its semantic conventions have one; a unit stands at the end of the name, as Prometheus spells it.
 */
import type { Attributes, Observable } from '@opentelemetry/api';
import { PrometheusExporter } from '@opentelemetry/exporter-prometheus';
import { MeterProvider } from '@opentelemetry/sdk-metrics';
import type { IMetricReader } from '@opentelemetry/sdk-metrics';
import type { IncomingMessage, ServerResponse } from 'node:http';

const exposition = new PrometheusExporter({
  preventServerStart: true,
  withoutScopeInfo: true,
  withoutTargetInfo: true,
});
const meter = new MeterProvider({ readers: [exposition as IMetricReader] }).getMeter('loom');
const observed = new Map<string, Observable>();

/** Tells the value that one of the gauges has at this scrape. */
type Tell<N extends string> = (name: N, value: number, attributes?: Attributes) => void;

/** One instrument a name, however many services of this process tell its values. */
function observable(name: string, kind: 'Gauge' | 'Counter', description: string): Observable {
  const there = observed.get(name) ?? meter[`createObservable${kind}`](name, { description });
  observed.set(name, there);
  return there;
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
    const all = names.map((name) => observable(name, kind, help[name]));
    const callback: Parameters<typeof meter.addBatchObservableCallback>[0] = (result) =>
      read((name, value, attributes) => result.observe(all[names.indexOf(name)]!, value, attributes));
    meter.addBatchObservableCallback(callback, all);
    return () => meter.removeBatchObservableCallback(callback, all);
  },
} as const;

/** Answers a scrape in Prometheus text format. */
export function scrape(request: IncomingMessage, response: ServerResponse): void {
  exposition.getMetricsRequestHandler(request, response);
}
