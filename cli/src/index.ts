export { imageTag } from './parts/image.ts';
export { findNatsServer } from './parts/nats.ts';
export { migrate, roleUrl, setUpRoles } from './stack/migrate.ts';
export { startNats, type Nats } from './stack/nats.ts';
export { startPostgres, type Postgres } from './stack/postgres.ts';
