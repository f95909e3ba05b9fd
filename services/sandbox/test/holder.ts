/** A process that holds a started container until it is killed: `node holder.ts <pool> <image>`. */
import { limits } from '../src/domain/limits.ts';
import { connectDocker } from '../src/engine/docker.ts';
import { openPool } from '../src/engine/pool.ts';
import { labels } from '../src/engine/reaper.ts';

const [pool = '', image = ''] = process.argv.slice(2);
const socket = process.env['LOOM_DOCKER_SOCKET'] ?? '/var/run/docker.sock';
const containers = openPool(connectDocker(socket), { socket, image, runtime: '', pool, limits }, 1, labels(pool));
await containers.settled();
console.log(containers.waiting());
setInterval(() => {}, 1_000);
