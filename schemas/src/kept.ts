/**
 * Bytes that whoever reads a value may keep for as long as its job lives. Small ones, hashes nearly all of them, share a buffer of 1 KiB: one of their own
 * weighs more than what is in it, and in Node's pool 32 bytes would keep 8 KiB of what else was read.
 */

const shared = 1024;
/** Anything larger gets a buffer of its own; bytes. */
const small = 64;

let buffer = Buffer.allocUnsafeSlow(shared);
let taken = 0;

/** Room for so many bytes, which hold anything. */
export function room(length: number): Buffer {
  if (length > small) return Buffer.allocUnsafeSlow(length);
  if (taken + length > shared) {
    buffer = Buffer.allocUnsafeSlow(shared);
    taken = 0;
  }
  taken += length;
  return buffer.subarray(taken - length, taken);
}
