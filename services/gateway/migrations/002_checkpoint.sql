-- How far the job read model has read each event stream: rows and checkpoint move together, so a table that was set back is noticed.
create table gateway.checkpoint (
  projection  text not null,
  stream      text not null,
  incarnation text not null,
  seq         bigint not null,
  at          timestamptz not null default now(),
  primary key (projection, stream, incarnation)
);

grant select, insert, update on gateway.checkpoint to loom_gateway;
