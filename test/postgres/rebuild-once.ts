/** Rebuilds billing once, in a process that may be told where to die: `rebuild-once.ts NATS_URL POSTGRES_URL`, with LOOM_CRASH_AT. */
import { connectLog } from '@loom/log';
import { openPool, rebuild } from '@loom/projection';
import { armCrash } from '../../packages/service/src/crashpoint.ts';
import { passwordOf } from '../../packages/log/test/world.ts';
import { usageView } from '../../services/billing/src/views/usage.ts';

const [servers = '', url = ''] = process.argv.slice(2);
armCrash(process.env['LOOM_CRASH_AT']);
const log = await connectLog({ servers, user: 'operator', password: passwordOf('operator'), source: 'operator' });
const report = await rebuild({ log, pool: openPool(url, 'rebuild'), projection: usageView });
process.stdout.write(JSON.stringify(report));
process.exit();
