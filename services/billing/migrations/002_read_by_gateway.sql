-- The gateway answers GET /v1/usage from these rows: it may read them, under the same row-level security, and nothing else here.
create index usage_by_time on billing.usage (tenant, at desc, job, kind, key);
grant select on billing.usage to loom_gateway;
