-- The job read model: what a list needs, and no content. Rebuilt from the log at any time.
create table gateway.jobs (
  tenant          text        not null,
  id              text        not null,
  engagement      text        not null,
  owner           text        not null,
  status          text        not null,
  created_at      timestamptz not null,
  updated_at      timestamptz not null,
  budget_micros   bigint      not null,
  reserved_micros bigint      not null,
  spent_micros    bigint      not null,
  last_seq        bigint      not null,
  primary key (tenant, id)
);

create index jobs_by_age on gateway.jobs (tenant, created_at desc, id desc);

alter table gateway.jobs enable row level security;
alter table gateway.jobs force row level security;
create policy own_tenant on gateway.jobs
  using (tenant = current_setting('app.tenant', true))
  with check (tenant = current_setting('app.tenant', true));

grant usage on schema gateway to loom_gateway;
grant select, insert, update on gateway.jobs to loom_gateway;
