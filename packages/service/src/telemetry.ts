/**
 * Owns the process's tracer provider and context manager; does not own exporters' endpoints (the environment does).
 * T1  A span context exists whether or not spans are exported, so that facts always carry one trace per job.
 * T2  Installed once a process; the last `stop` flushes and takes it down.
 * T3  Spans carry ids, types, counts and codes; never content.
 */
import { ROOT_CONTEXT, SpanStatusCode, TraceFlags, context, propagation, trace } from '@opentelemetry/api';
import type { Attributes, Context, Span } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { W3CTraceContextPropagator, parseTraceParent } from '@opentelemetry/core';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-proto';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { BatchSpanProcessor, RandomIdGenerator, TracerProvider } from '@opentelemetry/sdk-trace';
import type { Env } from './config.ts';
import { LoomError } from './errors.ts';

let installed: { readonly provider: TracerProvider; readonly exports: boolean; users: number } | undefined;

const endpointOf = (env: Env): string => env['OTEL_EXPORTER_OTLP_ENDPOINT'] ?? '';

function install(endpoint: string): TracerProvider {
  const exporter = endpoint === '' ? [] : [new OTLPTraceExporter({ url: `${endpoint.replace(/\/$/, '')}/v1/traces` })];
  const provider = new TracerProvider({
    resource: resourceFromAttributes({ 'service.namespace': 'loom', 'service.name': 'loom' }),
    spanProcessors: exporter.map((one) => new BatchSpanProcessor({ exporter: one, scheduledDelayMillis: 500 })),
  });
  trace.setGlobalTracerProvider(provider);
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  propagation.setGlobalPropagator(new W3CTraceContextPropagator());
  return provider;
}

async function uninstall(provider: TracerProvider): Promise<void> {
  trace.disable();
  context.disable();
  propagation.disable();
  await provider.shutdown().catch(() => undefined);
}

/** Installs tracing for the process (again: counts only). Exports over OTLP/HTTP when OTEL_EXPORTER_OTLP_ENDPOINT is set. `stop` of the last user flushes. */
export function telemetry(_service: string, env: Env): { stop(): Promise<void> } {
  const mine = (installed ??= { provider: install(endpointOf(env)), exports: endpointOf(env) !== '', users: 0 });
  mine.users += 1;
  let stopped = false;
  return {
    async stop() {
      if (stopped) return;
      stopped = true;
      mine.users -= 1;
      if (mine.users > 0) return;
      installed = undefined;
      await uninstall(mine.provider);
    },
  };
}

/** The service of a span: attribute `service.name`, else the first word of its name (`billing project`, `gateway POST /v1/jobs`). */
const serviceOf = (name: string, attributes: Attributes): string => {
  const given = attributes['service.name'];
  return typeof given === 'string' ? given : (/^[a-z-]+/.exec(name)?.[0] ?? 'loom');
};

/**
 * Runs `work` in a span that continues `parent` (a traceparent; '' takes the active span, or begins a trace).
 * Name it `<service> <act>`: its first word is the tracer's scope. A throw marks the span with the error's code, and is passed on.
 */
export async function inSpan<T>(
  name: string,
  parent: string,
  attributes: Attributes,
  work: () => Promise<T>,
): Promise<T> {
  if (installed?.exports !== true) return context.with(unrecorded(parent), work);
  const from = parent === '' ? context.active() : propagation.extract(ROOT_CONTEXT, { traceparent: parent });
  const service = serviceOf(name, attributes);
  const options = { attributes: { ...attributes, 'service.name': service } };
  return trace.getTracer(service).startActiveSpan(name, options, from, async (span) => {
    try {
      return await work();
    } catch (cause) {
      failed(span, cause);
      throw cause;
    } finally {
      span.end();
    }
  });
}

const ids = new RandomIdGenerator();

/** A span that nobody will see still has its place in the trace, so that facts and other processes carry it on; making a real one costs more than sealing a field. */
function unrecorded(parent: string): Context {
  const before = parent === '' ? trace.getSpanContext(context.active()) : parseTraceParent(parent);
  const traceId = before?.traceId ?? ids.generateTraceId();
  return trace.setSpanContext(ROOT_CONTEXT, { traceId, spanId: ids.generateSpanId(), traceFlags: TraceFlags.SAMPLED });
}

function failed(span: Span, cause: unknown): void {
  const { code } = LoomError.from(cause);
  span.setStatus({ code: SpanStatusCode.ERROR, message: code });
  span.setAttribute('loom.code', code);
}

/** W3C traceparent of the active span, '' when there is none. */
export function traceparent(): string {
  const active = trace.getSpanContext(context.active());
  if (active === undefined) return '';
  return `00-${active.traceId}-${active.spanId}-0${active.traceFlags & TraceFlags.SAMPLED}`;
}
