/**
 * A local OTLP/HTTP trace receiver: takes what an OpenTelemetry exporter posts to /v1/traces as protobuf and keeps the spans.
 * Reads the few fields of ExportTraceServiceRequest that assertions need; unknown fields are skipped, as protobuf asks.
 */
import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gunzipSync } from 'node:zlib';
import { fieldsOf } from './protobuf.ts';
import type { Field } from './protobuf.ts';

export interface Span {
  readonly trace: string;
  readonly id: string;
  /** '' for a root. */
  readonly parent: string;
  readonly name: string;
  /** Name of the tracer: Loom's service. */
  readonly scope: string;
  readonly attributes: Readonly<Record<string, string | number | boolean>>;
  /** 2 is an error. */
  readonly status: number;
}

export interface OtlpReceiver extends AsyncDisposable {
  /** For OTEL_EXPORTER_OTLP_ENDPOINT. */
  readonly url: string;
  readonly spans: readonly Span[];
}

const all = (fields: readonly Field[], n: number): Buffer[] =>
  fields.filter((one) => one.number === n).map((one) => one.bytes);
const one = (fields: readonly Field[], n: number): Buffer => all(fields, n)[0] ?? Buffer.alloc(0);
const whole = (fields: readonly Field[], n: number): number => fields.find((field) => field.number === n)?.value ?? 0;

/** AnyValue: 1 string, 2 bool, 3 int, 4 double. */
function valueOf(bytes: Buffer): string | number | boolean {
  const field = fieldsOf(bytes)[0];
  if (field?.number === 2) return field.value === 1;
  if (field?.number === 3) return field.value;
  if (field?.number === 4) return field.bytes.readDoubleLE(0);
  return field?.bytes.toString('utf8') ?? '';
}

function attributesOf(pairs: readonly Buffer[]): Span['attributes'] {
  return Object.fromEntries(
    pairs.map((pair) => {
      const fields = fieldsOf(pair);
      return [one(fields, 1).toString('utf8'), valueOf(one(fields, 2))];
    }),
  );
}

function spanOf(bytes: Buffer, scope: string): Span {
  const fields = fieldsOf(bytes);
  return {
    trace: one(fields, 1).toString('hex'),
    id: one(fields, 2).toString('hex'),
    parent: one(fields, 4).toString('hex'),
    name: one(fields, 5).toString('utf8'),
    scope,
    attributes: attributesOf(all(fields, 9)),
    status: whole(fieldsOf(one(fields, 15)), 3),
  };
}

function spansOf(request: Buffer): Span[] {
  const scopeSpans = all(fieldsOf(request), 1).flatMap((resource) => all(fieldsOf(resource), 2));
  return scopeSpans.flatMap((bytes) => {
    const fields = fieldsOf(bytes);
    const scope = one(fieldsOf(one(fields, 1)), 1).toString('utf8');
    return all(fields, 2).map((span) => spanOf(span, scope));
  });
}

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const chunks = await request.toArray();
  const body = Buffer.concat(chunks as Buffer[]);
  return request.headers['content-encoding'] === 'gzip' ? gunzipSync(body) : body;
}

async function take(request: IncomingMessage, response: ServerResponse, spans: Span[]): Promise<void> {
  if (request.method !== 'POST' || request.url !== '/v1/traces') response.writeHead(404).end();
  else if (request.headers['content-type'] !== 'application/x-protobuf') response.writeHead(415).end();
  else {
    spans.push(...spansOf(await bodyOf(request)));
    response.writeHead(200, { 'content-type': 'application/x-protobuf' }).end();
  }
}

/** Starts the receiver on a free loopback port. */
export async function otlpReceiver(): Promise<OtlpReceiver> {
  const spans: Span[] = [];
  const server = createServer((request, response) => {
    take(request, response, spans).catch(() => response.writeHead(400).end());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    spans,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
