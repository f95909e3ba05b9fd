/** What others get of the log, on one stack after jobs that cost something: events read by a second implementation of Avro, and exports. */
import { suite } from 'uvu';
import { avroTests } from '../avro.ts';
import { exportTests } from '../export.ts';
import { questionTests } from '../questions.ts';
import { world, type World } from '../world.ts';

const test = suite<{ world: World }>('analysts');

test.before(async (context) => {
  context.world = await world();
});
test.after(async (context) => context.world[Symbol.asyncDispose]());

avroTests(test);
exportTests(test);
questionTests(test);

test.run();
