/**
 * Owns the process's tracer provider and context manager; does not own exporters' endpoints (the environment does).
 * T1  A span context exists whether or not spans are exported, so that facts always carry one trace per job.
 * T2  Installed once a process; the last `stop` flushes and takes it down.
 * T3  Spans carry ids, types, counts and codes; never content.
 */
import type { Attributes, Context, Span } from '@opentelemetry/api';
import { randomUUID } from 'node:crypto';
import type { Env } from './config.ts';
import { LoomError } from './errors.ts';
import {
  AsyncLocalStorageContextManager,
  ROOT_CONTEXT,
  SpanStatusCode,
  TraceFlags,
  context,
  propagation,
  trace,
} from './otel.ts';

interface Tracing {
  readonly exports: boolean;
  /** Flushes and takes down. */
  readonly stop: () => Promise<void>;
}

let installed: { readonly tracing: Promise<Tracing>; users: number } | undefined;
let exporting = false;

/** The SDK is loaded where spans are exported, and nowhere else: it weighs 20 MiB. */
async function install(env: Env): Promise<Tracing> {
  const endpoint = env['OTEL_EXPORTER_OTLP_ENDPOINT'] ?? '';
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  if (endpoint === '') return { exports: false, stop: () => Promise.resolve() };
  const { exportTraces } = await import('./export-traces.ts');
  return { exports: true, stop: exportTraces(endpoint) };
}

async function uninstall(tracing: Tracing): Promise<void> {
  exporting = false;
  context.disable();
  await tracing.stop();
}

/** Installs tracing for the process (again: counts only). Exports over OTLP/HTTP when OTEL_EXPORTER_OTLP_ENDPOINT is set. `stop` of the last user flushes. */
export async function telemetry(_service: string, env: Env): Promise<{ stop(): Promise<void> }> {
  const mine = (installed ??= { tracing: install(env), users: 0 });
  mine.users += 1;
  const tracing = await mine.tracing;
  exporting = tracing.exports;
  let stopped = false;
  return {
    async stop() {
      if (stopped) return;
      stopped = true;
      mine.users -= 1;
      if (mine.users > 0) return;
      installed = undefined;
      await uninstall(tracing);
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
  if (!exporting) return context.with(unrecorded(parent), work);
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

/** W3C: version, trace, span, flags. */
const parentForm = /^00-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}$/;
const randomHex = (): string => randomUUID().replaceAll('-', '');

/** A span that nobody will see still has its place in the trace, so that facts and other processes carry it on; making a real one costs more than sealing a field. */
function unrecorded(parent: string): Context {
  const before = parent === '' ? trace.getSpanContext(context.active())?.traceId : parentForm.exec(parent)?.[1];
  const spanContext = { traceId: before ?? randomHex(), spanId: randomHex().slice(16), traceFlags: TraceFlags.SAMPLED };
  return trace.setSpanContext(ROOT_CONTEXT, spanContext);
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
