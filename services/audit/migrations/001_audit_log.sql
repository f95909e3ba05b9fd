-- The audit trail: append-only for the service's role, owned by a role that cannot log in. No content, no personal data but opaque ids.

create table audit.audit_log (
  tenant  text not null,
  stream  text not null,
  seq     bigint not null,
  item    int not null,
  time    timestamptz not null,
  kind    text not null check (kind in ('request', 'sign_in', 'operator', 'decision', 'refusal', 'retry', 'model_call', 'tool_call', 'operation')),
  source  text not null,
  action  text not null,
  target  text not null,
  person  text not null default '',
  outcome text not null,
  sum     text not null,
  primary key (tenant, stream, seq, item)
);
create index audit_log_by_time on audit.audit_log (tenant, time);

comment on table  audit.audit_log is 'One row an item of a fact. IP and user agent stay sealed in the fact that (stream, seq) names.';
comment on column audit.audit_log.stream is 'Stream of the log: a job id, account or system.';
comment on column audit.audit_log.seq is 'Sequence of the fact in its event stream.';
comment on column audit.audit_log.item is 'Index of the item within the fact.';
comment on column audit.audit_log.source is 'The service that wrote the fact.';
comment on column audit.audit_log.action is 'Route of an API call, else the type of the fact.';
comment on column audit.audit_log.person is 'Opaque user id; empty when no person acted.';
comment on column audit.audit_log.sum is 'SHA-256 of the fact as it is stored, hex.';

create table audit.checkpoint (
  projection  text not null,
  stream      text not null,
  incarnation text not null,
  seq         bigint not null,
  at          timestamptz not null default now(),
  primary key (projection, stream, incarnation)
);

alter table audit.audit_log enable row level security;
alter table audit.audit_log force row level security;
create policy own_tenant on audit.audit_log
  using (tenant = current_setting('app.tenant', true)) with check (tenant = current_setting('app.tenant', true));

grant select, insert on audit.audit_log to loom_audit;
grant select, insert, update on audit.checkpoint to loom_audit;
