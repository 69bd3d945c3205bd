/**
 * @file What kernels find wrong with values, such as a class index that no class has. Nobody can throw on the device, so a kernel notes the value in a
 * word that stands for the check, and the next read-back, which waits anyway, brings the words along and throws. It costs no wait of its own, and a
 * replayed step checks as well as the first. Unlike a fault of the device it is told once: the values after it are wrong, but the device is not.
 */

import { type BufferPool, Storage, usage } from "./buffers.ts";
import { DataError } from "../host/errors.ts";
import type { Bound } from "./kernel.ts";
import type { GPUBuffer, GPUDevice } from "./webgpu.ts";

const count = 64;

/** What a check says of the value that it found. */
type Explain = (value: number) => string;

export class ValueFaults {
  readonly bytes = 4 * count;
  readonly buffer: GPUBuffer;
  /** The words, one per check, for `update`: a kernel raises its own to the bits of a value that is wrong, none of which are 0. */
  readonly words: Bound;
  private readonly checks = new Map<string, number>();
  private readonly explain: Explain[] = [];
  private seen: number;

  constructor(gpu: GPUDevice, pool: BufferPool) {
    this.buffer = gpu.createBuffer({ label: "faults", size: this.bytes, usage: usage.storage | usage.copySrc | usage.copyDst });
    const storage = new Storage(this.bytes, pool, true);
    storage.buffer = this.buffer; // never given back, so the pool never sees it
    this.words = { storage, byteOffset: 0, bytes: this.bytes, shape: [count] };
    this.seen = storage.changed;
  }

  /** The place of a check among the words. Those beyond the last share it, and what is said there is said by the first of them. */
  check(key: string, explain: Explain): number {
    const known = this.checks.get(key);
    if (known !== undefined) return known;
    const at = Math.min(this.explain.length, count - 1);
    this.explain[at] ??= explain;
    this.checks.set(key, at);
    return at;
  }

  /** Whether a kernel may have noted something since the last time that this was true. */
  take(): boolean {
    const { changed } = this.words.storage;
    if (changed === this.seen) return false;
    this.seen = changed;
    return true;
  }

  /** Throws `DataError` for the first word that is not 0. */
  expectNone(words: Uint32Array): void {
    const at = words.findIndex((word) => word !== 0);
    if (at >= 0) throw new DataError(this.explain[at](words[at] | 0));
  }
}
