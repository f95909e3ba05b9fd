import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { isOrphan, ownerLabel, parseOwner } from '../src/domain/owner.ts';
import type { Found } from '../src/domain/owner.ts';

const owner = { host: 'here', pid: 7, started: '123' };
const found = (rest: Partial<Found> = {}): Found => ({ owner, pool: 'p', running: true, ageMs: 1_000, ...rest });
const orphan = (rest: Partial<Found>, alive: boolean) =>
  isOrphan(found(rest), { host: 'here', pool: 'p', isAlive: () => alive });

test('an owner reads back from its label', () => {
  assert.equal(parseOwner(ownerLabel(owner)), owner);
  assert.equal(parseOwner(ownerLabel({ ...owner, started: '' })), { ...owner, started: '' });
  for (const label of [undefined, '', 'x', '7']) assert.is(parseOwner(label), null);
});

test('containers of a dead process of this host go, those of a living one stay, of whatever pool', () => {
  assert.ok(orphan({}, false));
  assert.ok(orphan({ pool: 'other' }, false));
  assert.not.ok(orphan({}, true));
});

test("another host's container goes when it has ended a minute ago or run for half an hour", () => {
  const foreign = { owner: { ...owner, host: 'there' } };
  assert.not.ok(orphan({ ...foreign, ageMs: 10 * 60_000 }, false));
  assert.ok(orphan({ ...foreign, ageMs: 31 * 60_000 }, false));
  assert.ok(orphan({ ...foreign, running: false, ageMs: 61_000 }, false));
  assert.not.ok(orphan({ ...foreign, pool: 'other', running: false, ageMs: 61_000 }, false));
});

test.run();
