-- What retention has to remove, and when it was written. No content: keys and object names.

create table retention.artifact (
  tenant  text not null,
  job     text not null,
  key     text not null,
  object  text not null,
  written timestamptz not null,
  expired timestamptz,
  primary key (tenant, job, key)
);
create index artifact_due on retention.artifact (written) where expired is null;
create index artifact_by_object on retention.artifact (object) where expired is null;

comment on column retention.artifact.key is 'Key of its artifact.written.';
comment on column retention.artifact.expired is 'When artifact.expired was recorded; null while it is kept.';

create table retention.checkpoint (
  projection  text not null,
  stream      text not null,
  incarnation text not null,
  seq         bigint not null,
  at          timestamptz not null default now(),
  primary key (projection, stream, incarnation)
);

-- Deadlines run for all tenants, so the service's role sees all; no other role sees any.
alter table retention.artifact enable row level security;
alter table retention.artifact force row level security;
create policy every_deadline on retention.artifact to loom_retention using (true) with check (true);

grant select, insert, update on retention.artifact, retention.checkpoint to loom_retention;
