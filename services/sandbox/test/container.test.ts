import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { containerOptions } from '../src/domain/container.ts';
import { limits } from '../src/domain/limits.ts';

const options = containerOptions({ image: 'i', supervisor: 's', warm: false, runtime: '', labels: { a: 'b' }, limits });

test('the flag set is the whole of reliability.md 3.6', () => {
  const host: Record<string, unknown> = { ...options.HostConfig };
  const wanted = {
    NetworkMode: 'none',
    ReadonlyRootfs: true,
    Memory: 536_870_912,
    MemorySwap: 536_870_912,
    NanoCpus: 500_000_000,
    PidsLimit: 128,
    CapDrop: ['ALL'],
    SecurityOpt: ['no-new-privileges'],
    IpcMode: 'private',
    ShmSize: 16_777_216,
    CgroupnsMode: 'private',
    LogConfig: { Type: 'none', Config: {} },
    Init: true,
    Privileged: false,
    AutoRemove: false,
  };
  for (const [name, value] of Object.entries(wanted)) assert.equal(host[name], value, name);
  for (const name of ['Binds', 'Mounts', 'Devices', 'CapAdd', 'VolumesFrom', 'Runtime'])
    assert.is(host[name], undefined, name);
  assert.is(options.User, '65534:65534');
});

test('the environment holds nothing of the service', () => {
  assert.not.match((options.Env ?? []).join(), /LOOM|KEY|NATS/);
});

test('another runtime is taken by name', () => {
  assert.is(
    containerOptions({ image: 'i', supervisor: 's', warm: true, runtime: 'runsc', labels: {}, limits }).HostConfig
      ?.Runtime,
    'runsc',
  );
});

test.run();
