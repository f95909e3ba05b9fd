/** For every rule, a log that breaks it and nothing else: it is found, at the very fact. The logs are tampered copies of a real one. */
import { readRaw } from '@loom/log';
import type { RawFact } from '@loom/log';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { checkJob, rules } from '../../src/index.ts';
import { Play, wholeJob } from '../support/play.ts';
import { decisions } from '../support/breaks/decisions.ts';
import { facts } from '../support/breaks/facts.ts';
import { work } from '../support/breaks/work.ts';
import { Copy } from '../support/tamper.ts';
import { world } from '../support/world.ts';
import type { World } from '../support/world.ts';

interface Context {
  world: World;
  play: Play;
  raw: RawFact[];
}
const test = suite<Context>('rules');

test.before(async (context) => {
  context.world = await world();
  context.play = await Play.on(context.world);
  await wholeJob(context.play);
  context.raw = await Array.fromAsync(readRaw(context.play.log('orchestrator'), context.play.at));
});
test.after(async (context) => context.world[Symbol.asyncDispose]());

const table = [...facts, ...work, ...decisions];

test('a copy that nobody tampered with holds', ({ raw, play }) => {
  assert.equal(checkJob(play.at, new Copy(raw).raw()), []);
});

for (const [rule, how, tamper] of table)
  test(`${rule}: ${how}`, ({ raw, play }) => {
    const log = new Copy(raw);
    const at = tamper(log);
    const found = checkJob(play.at, log.raw());
    assert.equal(
      found.map((one) => `${one.rule} at ${one.seq} ${one.subject}`),
      [`${rule} at ${at.seq} ${at.subject}`],
      JSON.stringify(found.map(({ rule: name, seq, message }) => [name, seq, message])),
    );
  });

test('every rule has a log that breaks it', () => {
  const broken = new Set(table.map(([rule]) => rule));
  assert.equal(
    rules.map(({ name }) => name).filter((name) => !broken.has(name)),
    [],
  );
});

test('with replicas a dispatch may lie between a decision and its fold, on one server nothing may', ({ raw, play }) => {
  const log = new Copy(raw);
  const request = log.find('tool.requested', 'a2-1-1-1');
  const next = log.facts.find(({ seq, headers }) => seq > request.seq && headers.has('loom-chain'));
  next?.headers.set('loom-basis', request.headers.get('loom-decision') ?? '');
  const rulesBroken = (replicated: boolean) =>
    checkJob(play.at, log.raw(), false, { replicated }).map(({ rule, seq }) => `${rule} at ${seq}`);
  assert.equal(rulesBroken(true), []);
  assert.equal(rulesBroken(false), [`fence at ${next?.seq}`]);
});

test('with replicas a decision between another and its fold is found all the same', ({ raw, play }) => {
  const log = new Copy(raw);
  const fact = log.find('budget.changed');
  fact.headers.set('loom-basis', String(log.find('tool.settled', 'a2-1-1-1').seq));
  assert.equal(
    checkJob(play.at, log.raw(), false, { replicated: true }).map(({ rule, seq }) => [rule, seq]),
    [['fence', fact.seq]],
  );
});

test('a job that may still run is not asked for its end', ({ raw, play }) => {
  const log = new Copy(raw);
  log.remove(log.find('job.completed'));
  assert.equal(checkJob(play.at, log.raw(), true), []);
});

test('every prefix of a clean log holds while the job runs', ({ raw, play }) => {
  for (let length = 1; length < raw.length; length += 1)
    assert.equal(checkJob(play.at, raw.slice(0, length), true), []);
});

test.run();
