/**
 * Owns the process's one meter provider: several services beside each other share it, attribute `service` tells them apart.
 */
import type { Attributes } from '@opentelemetry/api';
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

/** Counters, histograms and gauges, served by /metrics. Names end in their unit (`_total` is added to counters). Never content in attributes. */
export const metrics = {
  counter(name: string, help: string): { add(n: number, attributes?: Attributes): void } {
    return meter.createCounter(name, { description: help });
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
} as const;

/** Answers a scrape in Prometheus text format. */
export function scrape(request: IncomingMessage, response: ServerResponse): void {
  exposition.getMetricsRequestHandler(request, response);
}
