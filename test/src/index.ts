export { natsServer, type NatsServer } from '../support/nats.ts';
export { natsCluster, type Cluster } from '../support/cluster.ts';
export { postgresDatabase, type Database } from '../support/postgres.ts';
export { sandboxImage } from '../support/image.ts';
export { stack, type Stack, type StackOptions } from '../support/stack.ts';
export { clientOf, type Client } from '../support/jobs.ts';
export { allFacts, operatorLog, subjectOf } from '../support/log.ts';
export { freeze } from '../support/freeze.ts';
export { scrape, shows } from '../support/scrape.ts';
