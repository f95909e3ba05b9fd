import { readFile } from 'node:fs/promises';
import { clientOf, stack } from '@loom/test';
import { anthropicEmulator } from './emulators/anthropic.ts';
import { openaiEmulator } from './emulators/openai.ts';
import { swarmScript } from './emulators/swarm-script.ts';
const which = process.argv[2];
await using emulator = which === 'openai' ? await openaiEmulator({ script: swarmScript }) : await anthropicEmulator({ script: swarmScript });
const env = which === 'openai' ? { OPENAI_BASE_URL: emulator.url } : { ANTHROPIC_BASE_URL: emulator.url };
await using loom = await stack({ env });
const client = clientOf(loom);
const files = { 'debian-packages.csv': await readFile('examples/debian-packages.csv'), 'time-zones.tsv': await readFile('examples/time-zones.tsv') };
const t = Date.now();
const id = await client.submit(await readFile('examples/compare-packages.md', 'utf8'), files);
try {
const job = await client.ended(id, 90);
console.log(Date.now() - t, 'ms', JSON.stringify(job, null, 1).slice(0, 3000));
console.log((await client.artifact(id, 'final/report.md')).toString().slice(0, 1500));
} catch (e) { console.log(e); }
console.log(emulator.ledger.length, emulator.ledger.map((e) => [e.status, e.tokensIn, e.tokensOut, e.refusal, e.asked?.turns.length]));
