/** What a caller may do about an error: never the same again, at once, or after a while. */
export type Retry = 'never' | 'now' | 'later';

interface Row {
  readonly status: number;
  readonly retry: Retry;
  readonly meaning: string;
}

const row = (status: number, retry: Retry, meaning: string): Row => ({ status, retry, meaning });

/** Every code that Loom ever answers or logs; the code is a promise, its message is not. */
const table = {
  // requests
  bad_request: row(400, 'never', 'The request cannot be read.'),
  validation_failed: row(400, 'never', 'A field is missing, unknown or out of its range; `field` names it.'),
  unauthenticated: row(401, 'never', 'No valid session token came with the request.'),
  csrf_failed: row(403, 'never', 'A cookie session changed state without a matching X-CSRF-Token.'),
  forbidden: row(403, 'never', 'The session lacks the role that this call needs.'),
  not_found: row(404, 'never', 'There is no such thing, or it belongs to another tenant.'),
  method_not_allowed: row(405, 'never', 'The path is known, but not with this method.'),
  idempotency_conflict: row(409, 'never', 'The Idempotency-Key was used before with another body.'),
  job_ended: row(409, 'never', 'The job has reached its end; nothing can be asked of it any more.'),
  already_answered: row(409, 'never', 'The question or checkpoint has its answer already.'),
  gone: row(410, 'never', 'It was there, and retention has removed it.'),
  brief_too_large: row(413, 'never', 'The brief is longer than the limit.'),
  attachment_too_large: row(413, 'never', 'An attachment is larger than the limit.'),
  too_many_attachments: row(413, 'never', 'More attachments than the limit.'),
  body_too_large: row(413, 'never', 'The request body is larger than the limit.'),
  unsupported_media_type: row(415, 'never', 'The content type is none that this call takes.'),
  rate_limited: row(429, 'later', 'Too many requests; Retry-After says when to come again.'),
  internal: row(500, 'later', 'A fault of Loom itself; it is logged.'),
  not_ready: row(503, 'later', 'The service is starting or draining.'),
  // the log
  log_unavailable: row(503, 'later', 'The log does not answer; nothing is known about what was asked.'),
  unknown_schema: row(500, 'never', 'A body carries the fingerprint of a schema that is not known here.'),
  undecodable: row(500, 'never', 'A body does not decode under the schema that it names.'),
  damaged: row(500, 'never', 'A fact does not have the sum that it was written with.'),
  wrong_tenant: row(500, 'never', 'A fact names another tenant than its subject.'),
  fact_too_large: row(413, 'never', 'The clear part of a fact is over the size of a message.'),
  message_dropped: row(409, 'never', 'An operator gave this message up; it is not handed over again.'),
  step_resolved: row(409, 'never', 'An operator decided otherwise about this failure of a step before.'),
  too_many_items: row(500, 'never', 'A decision holds more items than one fact may carry.'),
  server_too_old: row(500, 'never', 'nats-server is older than the version floor.'),
  setting_not_echoed: row(500, 'never', 'The server dropped a setting of a stream or consumer in silence.'),
  // keys and blobs
  key_destroyed: row(410, 'never', 'The key was destroyed, and with it what it sealed.'),
  bad_seal: row(500, 'never', 'Sealed bytes do not open under this key and context.'),
  root_key_unreadable: row(500, 'never', 'The root key file is missing, unreadable or not 32 bytes.'),
  blob_missing: row(410, 'never', 'The object is not in the store any more.'),
  blob_damaged: row(500, 'never', 'The object does not open, or its sum differs.'),
  // models, tools, sandbox
  model_unavailable: row(503, 'later', 'The model provider does not answer.'),
  model_rejected: row(502, 'never', 'The model provider refuses the request.'),
  sandbox_unavailable: row(503, 'later', 'No container engine can be reached.'),
  claimed_elsewhere: row(409, 'later', 'Another worker has claimed this attempt and its deadline has not passed.'),
  // projections
  database_unavailable: row(503, 'later', 'Postgres does not answer, or rolled the transaction back.'),
  // starting up
  config_invalid: row(500, 'never', 'A setting is missing or has no valid value; the message names it.'),
  part_missing: row(503, 'never', 'A part that Loom needs is not installed; the message says how to get it.'),
} as const satisfies Record<string, Row>;

export type ErrorCode = keyof typeof table;

/** Status, retry advice and meaning by code; docs/errors.md is this table in words. */
export const errorTable: Readonly<Record<ErrorCode, Row>> = table;
