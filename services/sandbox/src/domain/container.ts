import type { ContainerCreateOptions } from 'dockerode';
import type { Limits } from './limits.ts';

export interface ContainerPlan {
  readonly image: string;
  /** Text of the supervisor, the container's command. */
  readonly supervisor: string;
  /** Loads pandas, numpy and matplotlib before it is asked anything. */
  readonly warm: boolean;
  /** Docker runtime, e.g. `runsc`; empty for the engine's default. */
  readonly runtime: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly limits: Limits;
}

const environment = [
  'HOME=/workspace/.home',
  'TMPDIR=/workspace/.tmp',
  'LANG=C.UTF-8',
  'PATH=/usr/local/bin:/usr/bin:/bin',
  'MPLBACKEND=Agg',
  'OPENBLAS_NUM_THREADS=1',
  'OMP_NUM_THREADS=1',
];

/**
 * The one set of flags that code runs under (reliability.md 3.6): nothing of it comes from outside this function but the
 * image, the runtime and numbers. `IpcMode private` with a small /dev/shm, because `none` breaks Python's multiprocessing.
 * The scratch is given to its user by `uid=`: runc ≤ 1.1 overwrites `mode=` by the mode of the image's directory.
 */
export function containerOptions(plan: ContainerPlan): ContainerCreateOptions {
  return {
    Image: plan.image,
    Cmd: ['python3', '-I', '-u', '-X', 'utf8', '-c', plan.supervisor, plan.warm ? 'warm' : 'cold'],
    Entrypoint: [],
    Env: environment,
    User: '65534:65534',
    WorkingDir: '/',
    Labels: { ...plan.labels },
    AttachStdin: true,
    AttachStdout: true,
    AttachStderr: true,
    OpenStdin: true,
    StdinOnce: true,
    Tty: false,
    NetworkDisabled: true,
    HostConfig: hostConfig(plan),
  };
}

/** `CgroupnsMode` is not in dockerode's types yet. */
type HostConfig = NonNullable<ContainerCreateOptions['HostConfig']> & { readonly CgroupnsMode: 'private' };

function hostConfig({ limits, runtime }: ContainerPlan): HostConfig {
  return {
    NetworkMode: 'none',
    ReadonlyRootfs: true,
    Tmpfs: { '/workspace': `rw,nosuid,nodev,size=${limits.scratchBytes},nr_inodes=4k,uid=65534,gid=65534,mode=0700` },
    Memory: limits.memoryBytes,
    MemorySwap: limits.memoryBytes,
    NanoCpus: limits.nanoCpus,
    PidsLimit: limits.pids,
    CapDrop: ['ALL'],
    SecurityOpt: ['no-new-privileges'],
    Ulimits: [
      { Name: 'nofile', Soft: 256, Hard: 256 },
      { Name: 'core', Soft: 0, Hard: 0 },
    ],
    IpcMode: 'private',
    ShmSize: 16 * 1024 * 1024,
    CgroupnsMode: 'private',
    LogConfig: { Type: 'none', Config: {} },
    RestartPolicy: { Name: 'no' },
    Init: true,
    Privileged: false,
    AutoRemove: false,
    ...(runtime === '' ? {} : { Runtime: runtime }),
  };
}
