/** Loads every service and the command line once, so that the image carries their compiled code (NODE_COMPILE_CACHE). Nothing starts. */
import { flushCompileCache } from 'node:module';
import { services } from '../../cli/src/stack/environment.ts';

for (const service of Object.keys(services)) await import(`../../services/${service}/src/main.ts`);
await import('../../cli/src/commands/setup.ts');
flushCompileCache();
