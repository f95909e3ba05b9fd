/** What others get of the log, on one stack after jobs that cost something: events read by a second implementation of Avro, exports, and a reader of the stream. */
import { suite } from 'uvu';
import { avroTests } from '../avro.ts';
import { consumerTests } from '../consumers.ts';
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
consumerTests(test);

test.run();
