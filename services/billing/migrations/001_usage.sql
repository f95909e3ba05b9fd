-- Usage rows of steps and workspaces: no content, no personal data.

create table billing.usage (
  tenant        text   not null,
  job           text   not null,
  kind          text   not null check (kind in ('step', 'workspace')),
  key           text   not null,
  engagement    text   not null default '',
  agent         text   not null default '',
  step          int    not null default 0,
  attempts      int    not null default 0,
  outcome       text   not null default '',
  provider      text   not null default '',
  model         text   not null default '',
  price_version text   not null default '',
  tokens_in     bigint not null default 0,
  tokens_cached bigint not null default 0,
  tokens_out    bigint not null default 0,
  cost_micros   bigint not null default 0,
  tool_micros   bigint not null default 0,
  waste_micros  bigint not null default 0,
  seconds       bigint not null default 0,
  day           date   not null,
  at            timestamptz not null,
  seq           bigint not null,
  primary key (tenant, job, kind, key)
);
create index usage_by_day on billing.usage (tenant, day);

comment on table  billing.usage is 'One row an agent step (its attempts summed) and one a sandboxed workspace.';
comment on column billing.usage.key is 'Step: <agent>-<n>. Workspace: key of the tool call that it served.';
comment on column billing.usage.cost_micros is 'Settled attempts, failed and lost ones included. Micro-USD.';
comment on column billing.usage.tool_micros is 'Tool calls of the step. Micro-USD.';
comment on column billing.usage.waste_micros is 'Model calls that lost their slot: paid to the provider, not charged. Micro-USD.';
comment on column billing.usage.day is 'UTC day of the first fact of the row.';
comment on column billing.usage.seq is 'Sequence of the last fact in the row, in its event stream.';

create table billing.engagement_of (
  tenant     text not null,
  job        text not null,
  engagement text not null,
  primary key (tenant, job)
);

create table billing.checkpoint (
  projection  text not null,
  stream      text not null,
  incarnation text not null,
  seq         bigint not null,
  at          timestamptz not null default now(),
  primary key (projection, stream, incarnation)
);

alter table billing.usage enable row level security;
alter table billing.usage force row level security;
create policy own_tenant on billing.usage
  using (tenant = current_setting('app.tenant', true)) with check (tenant = current_setting('app.tenant', true));

alter table billing.engagement_of enable row level security;
alter table billing.engagement_of force row level security;
create policy own_tenant on billing.engagement_of
  using (tenant = current_setting('app.tenant', true)) with check (tenant = current_setting('app.tenant', true));

grant select, insert, update on billing.usage, billing.engagement_of, billing.checkpoint to loom_billing;
