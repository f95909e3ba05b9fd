/**
 * The kernel's FUSE protocol (7.31) for a file system whose root is one regular file: a disk's image, to put a loop device on.
 * Owns nothing: a request's bytes in, the answer's bytes out. Layouts are those of linux/fuse.h, little-endian.
 */
export interface FileDisk {
  /** Bytes. */
  readonly size: number;
  read(offset: number, size: number): Buffer;
  write(offset: number, bytes: Buffer): void;
  flush(): void;
}

/** Most bytes of one write request. */
const mostWritten = 128 * 1024;
/** What a read of /dev/fuse must have room for. */
export const requestBytes = mostWritten + 4096;

const headBytes = { in: 40, out: 16 } as const;
const [notSupported, notImplemented] = [-95, -38];

type Answer = Buffer | number | null;

const operations: Readonly<Record<number, (disk: FileDisk, body: Buffer) => Answer>> = {
  2: () => null, // FORGET
  3: (disk) => attributes(disk.size), // GETATTR
  4: (disk) => attributes(disk.size), // SETATTR: times do not matter here
  14: () => Buffer.alloc(16), // OPEN: not direct, and what an earlier opening cached is dropped
  15: read,
  16: write,
  17: () => statistics(), // STATFS
  18: () => 0, // RELEASE
  20: (disk) => (disk.flush(), 0), // FSYNC: the loop device's answer to a flush of the device
  25: () => 0, // FLUSH: a close, which makes nothing durable
  26: initialise,
  36: () => null, // INTERRUPT: every answer comes at once
  42: () => null, // BATCH_FORGET
  43: () => notSupported, // FALLOCATE
};

/** The answer to one request; null when the kernel wants none. */
export function answer(disk: FileDisk, request: Buffer): Buffer | null {
  const operation = operations[request.readUInt32LE(4)];
  const said = operation === undefined ? notImplemented : operation(disk, request.subarray(headBytes.in));
  if (said === null) return null;
  const [error, body] = typeof said === 'number' ? [said, Buffer.alloc(0)] : [0, said];
  const head = Buffer.alloc(headBytes.out);
  head.writeUInt32LE(headBytes.out + body.length, 0);
  head.writeInt32LE(error, 4);
  request.copy(head, 8, 8, 16);
  return Buffer.concat([head, body]);
}

function initialise(): Buffer {
  const out = Buffer.alloc(64);
  out.writeUInt32LE(7, 0);
  out.writeUInt32LE(31, 4);
  out.writeUInt32LE(mostWritten, 8); // read ahead
  out.writeUInt32LE(1 << 5, 12); // BIG_WRITES, and no write-back cache: what the device wrote is here at once
  out.writeUInt16LE(16, 16);
  out.writeUInt16LE(12, 18);
  out.writeUInt32LE(mostWritten, 20);
  out.writeUInt32LE(1, 24);
  return out;
}

function attributes(size: number): Buffer {
  const out = Buffer.alloc(104);
  out.writeBigUInt64LE(3600n, 0); // seconds that they hold
  out.writeBigUInt64LE(1n, 16);
  out.writeBigUInt64LE(BigInt(size), 24);
  out.writeBigUInt64LE(BigInt(size / 512), 32);
  out.writeUInt32LE(0o100600, 76);
  out.writeUInt32LE(1, 80);
  out.writeUInt32LE(4096, 96);
  return out;
}

function statistics(): Buffer {
  const out = Buffer.alloc(80);
  out.writeUInt32LE(4096, 40);
  out.writeUInt32LE(255, 44);
  out.writeUInt32LE(4096, 48);
  return out;
}

function read(disk: FileDisk, body: Buffer): Buffer {
  const offset = Number(body.readBigUInt64LE(8));
  const size = Math.min(body.readUInt32LE(16), Math.max(0, disk.size - offset));
  return disk.read(offset, size);
}

function write(disk: FileDisk, body: Buffer): Buffer {
  const size = body.readUInt32LE(16);
  disk.write(Number(body.readBigUInt64LE(8)), body.subarray(40, 40 + size));
  const out = Buffer.alloc(8);
  out.writeUInt32LE(size, 0);
  return out;
}
