import { steady } from '@loom/test';
import { setImmediate as turn } from 'node:timers/promises';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { engine } from '../engine.ts';

const sandbox = await engine();

/** Tries what must be denied, and says of each whether it was. */
const probe = `
import json, os, socket, ctypes, time
found = {}
def denied(name, act):
    try:
        act()
        found[name] = 'allowed'
    except (OSError, PermissionError) as error:
        found[name] = 'denied'
status = dict(line.split(':\\t', 1) for line in open('/proc/self/status').read().splitlines() if ':\\t' in line)
found['status'] = {key: status[key].strip() for key in ('CapEff', 'CapBnd', 'NoNewPrivs', 'Seccomp')}
found['ids'] = [os.getuid(), os.getgid()]
found['environment'] = sorted(os.environ)
found['interfaces'] = sorted(os.listdir('/sys/class/net')) if os.path.isdir('/sys/class/net') else ['lo']
began = time.time()
for address in ('1.1.1.1', '169.254.169.254', '127.0.0.1', '172.17.0.1'):
    denied('connect ' + address, lambda: socket.create_connection((address, 80), timeout=5))
denied('resolve', lambda: socket.getaddrinfo('example.com', 80))
denied('raw socket', lambda: socket.socket(socket.AF_INET, socket.SOCK_RAW, 1))
found['network seconds'] = time.time() - began
for path in ('/etc/x', '/x', '/usr/x', '/opt/x', '/var/x', '/proc/sys/kernel/core_pattern', '/proc/sysrq-trigger', '/sys/kernel/x', '/sys/fs/cgroup/x'):
    denied('write ' + path, lambda: open(path, 'w'))
for path in ('/dev/kmsg', '/proc/kcore', '/etc/shadow', '/var/run/docker.sock', '/run/containerd/containerd.sock'):
    denied('read ' + path, lambda: open(path).read(1))
denied('mknod', lambda: os.mknod('/workspace/device', 0o20666, os.makedev(1, 1)))
denied('setuid', lambda: os.setuid(0))
denied('chroot', lambda: os.chroot('/workspace'))
libc = ctypes.CDLL(None, use_errno=True)
def call(name, number, *arguments):
    ctypes.set_errno(0)
    found[name] = 'allowed' if libc.syscall(number, *arguments) >= 0 else 'denied'
call('mount', 165, b'none', b'/workspace', b'tmpfs', 0, None)
call('unshare user', 272, 0x10000000)
call('keyctl', 250, 0, -3, 0, 0)
call('bpf', 321, 0, None, 0)
call('perf_event_open', 298, None, 0, -1, -1, 0)
call('kexec_load', 246, 0, 0, None, 0)
call('init_module', 175, None, 0, b'')
found['set-uid files'] = [os.path.join(folder, name) for folder, _, names in os.walk('/usr') for name in names if os.lstat(os.path.join(folder, name)).st_mode & 0o6000]
print(json.dumps(found))
`;

test('code has no privilege, no network and no place to write but its scratch', async () => {
  const ran = await steady(2_500, turn, () => sandbox.run(probe));
  assert.is(ran.outcome, 'completed', ran.text);
  const {
    status,
    ids,
    environment,
    interfaces,
    'network seconds': seconds,
    'set-uid files': setuid,
    ...tried
  } = JSON.parse(ran.out);
  assert.equal(status, { CapEff: '0000000000000000', CapBnd: '0000000000000000', NoNewPrivs: '1', Seccomp: '2' });
  assert.equal(ids, [65534, 65534]);
  assert.equal(interfaces, ['lo']);
  assert.equal(setuid, []);
  assert.ok(seconds < 5, 'the network fails at once');
  assert.not.ok(
    environment.some((name: string) => /LOOM|KEY|TOKEN|SECRET/.test(name)),
    environment.join(),
  );
  const allowed = Object.keys(tried).filter((name) => tried[name] !== 'denied');
  assert.equal(allowed, []);
});

test('another container is neither seen nor reached', async () => {
  const waiting = sandbox.run(
    `import time; open('/dev/shm/mine', 'w').write('x'); open('secret', 'w').write('x'); time.sleep(2)`,
  );
  const looking = await sandbox.run(
    `import os; print(os.listdir('/dev/shm'), sum(p.isdigit() for p in os.listdir('/proc')), os.path.exists('secret'))`,
  );
  assert.match(looking.out, /^\[\] [1-4] False/);
  assert.is((await waiting).outcome, 'completed');
});

test('nothing is left in the engine', async () => {
  await sandbox[Symbol.asyncDispose]();
  assert.equal(await sandbox.left(), []);
});

test.run();
