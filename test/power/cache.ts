/**
 * Owns a disk's image and its volatile write cache; knows nothing of who reads and writes.
 * C1  A write is in the cache alone until the next flush. C2  After `flush` returned, what was written before it is in the image.
 * C3  A power cut keeps of the cache only the pages that `keeps` names: a device may have written any of them, in any order, and tears none.
 */
import { readSync, writeSync } from 'node:fs';

/** Bytes that a device writes whole or not at all. */
const pageSize = 4096;

export class WriteCache {
  readonly #image: number;
  readonly #pages = new Map<number, Buffer>();

  /** `image`: descriptor of a file as large as the disk. */
  constructor(image: number) {
    this.#image = image;
  }

  /** Pages that a power cut would lose now. */
  get unflushed(): number {
    return this.#pages.size;
  }

  read(offset: number, size: number): Buffer {
    const bytes = Buffer.alloc(size);
    readSync(this.#image, bytes, 0, size, offset);
    for (const [page, from, to] of pagesOf(offset, size)) {
      const start = page * pageSize;
      this.#pages.get(page)?.copy(bytes, start + from - offset, from, to);
    }
    return bytes;
  }

  write(offset: number, bytes: Buffer): void {
    for (const [page, from, to] of pagesOf(offset, bytes.length)) {
      const start = page * pageSize;
      bytes.copy(this.#page(page), from, start + from - offset, start + to - offset);
    }
  }

  #page(page: number): Buffer {
    const known = this.#pages.get(page);
    if (known !== undefined) return known;
    const bytes = Buffer.allocUnsafe(pageSize);
    readSync(this.#image, bytes, 0, pageSize, page * pageSize);
    this.#pages.set(page, bytes);
    return bytes;
  }

  flush(): void {
    for (const [page, bytes] of this.#pages) writeSync(this.#image, bytes, 0, pageSize, page * pageSize);
    this.#pages.clear();
  }

  /** The power goes. */
  cut(keeps: (page: number) => boolean): void {
    for (const page of this.#pages.keys()) if (!keeps(page)) this.#pages.delete(page);
    this.flush();
  }
}

/** The pages that a range touches, each with the part of it that is meant: [page, from, to]. */
function* pagesOf(offset: number, size: number): Iterable<readonly [number, number, number]> {
  const end = offset + size;
  for (let at = offset; at < end;) {
    const page = Math.floor(at / pageSize);
    const to = Math.min(end, (page + 1) * pageSize);
    yield [page, at - page * pageSize, to - page * pageSize];
    at = to;
  }
}
