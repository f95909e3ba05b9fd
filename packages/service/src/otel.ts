/**
 * What every process needs of OpenTelemetry, in its CommonJS form: as modules these packages import node:http, which reads every export of it, and for
 * three of them Node loads all that is behind `fetch`: 13 MiB in processes that never call it.
 */
import type * as Api from '@opentelemetry/api';
import type * as Contexts from '@opentelemetry/context-async-hooks';
import type * as Prometheus from '@opentelemetry/exporter-prometheus';
import type * as Metrics from '@opentelemetry/sdk-metrics';
import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);

export const { ROOT_CONTEXT, SpanStatusCode, TraceFlags, context, diag, propagation, trace } =
  require('@opentelemetry/api') as typeof Api;
export const { AsyncLocalStorageContextManager } = require('@opentelemetry/context-async-hooks') as typeof Contexts;
export const { PrometheusExporter, PrometheusSerializer } =
  require('@opentelemetry/exporter-prometheus') as typeof Prometheus;
export const { MeterProvider } = require('@opentelemetry/sdk-metrics') as typeof Metrics;
