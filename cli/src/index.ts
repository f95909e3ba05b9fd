export { imageTag } from './parts/image.ts';
export { findNatsServer } from './parts/nats.ts';
export { engineSocket } from './parts/engine.ts';
export { migrate, roleUrl, setUpRoles } from './stack/migrate.ts';
export { startNats } from './stack/nats.ts';
export { startPostgres, type Postgres } from './stack/postgres.ts';
export { startStack, type Stack, type StackOptions } from './stack/stack.ts';
