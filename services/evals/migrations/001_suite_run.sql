-- Scores of suites over time. The operator's own: no tenant, no content.

create table evals.suite_run (
  suite       text not null,
  run         text not null,
  at          timestamptz not null,
  cases       int not null,
  passed      int not null,
  score_ppm   bigint not null,
  jobs        text[] not null,
  duration_ms bigint not null,
  primary key (run)
);
create index suite_run_by_time on evals.suite_run (suite, at);

comment on column evals.suite_run.run is 'Key of its suite.ran.';
comment on column evals.suite_run.score_ppm is 'Mean score of the cases, parts per million.';

create table evals.checkpoint (
  projection  text not null,
  stream      text not null,
  incarnation text not null,
  seq         bigint not null,
  at          timestamptz not null default now(),
  primary key (projection, stream, incarnation)
);

grant select, insert, update on evals.suite_run, evals.checkpoint to loom_evals;
