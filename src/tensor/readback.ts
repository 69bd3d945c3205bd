/** @file Read-backs through mapped staging buffers, so that reading a loss late never stalls the queue. */

import { alignment, usage } from "./buffers.ts";
import type { DType, TypedArray } from "../host/array.ts";
import type { GPUBuffer, GPUDevice } from "./webgpu.ts";

const mapRead = 1;
/** Free slots are kept for reuse up to this many bytes together; larger ones, such as whole volumes, are destroyed after use. */
const keptBytes = 4 << 20;

/** Powers of two, so that sizes that vary share slots. */
const slotSize = (bytes: number): number => Math.max(alignment, 2 ** Math.ceil(Math.log2(Math.max(1, bytes))));

/** Where something may follow so many bytes. */
export const behind = (bytes: number): number => Math.ceil(bytes / 8) * 8;

/** Elements of a type in a copy of their bytes. */
export function elementsOf(copy: ArrayBuffer, count: number, dtype: Exclude<DType, "f16">): TypedArray {
  switch (dtype) {
    case "f32":
      return new Float32Array(copy, 0, count);
    case "i32":
      return new Int32Array(copy, 0, count);
    case "u32":
      return new Uint32Array(copy, 0, count);
  }
}

export class Readback {
  /** Of all slots, in flight or free. */
  bytes = 0;
  private readonly gpu: GPUDevice;
  /** The slot given back last is the last one. */
  private readonly free: GPUBuffer[] = [];
  private freeBytes = 0;

  constructor(gpu: GPUDevice) {
    this.gpu = gpu;
  }

  /** A staging buffer of at least `bytes` bytes; pass it to `get` after a copy into it was submitted. */
  take(bytes: number): GPUBuffer {
    // A large one is used once: no more than is needed.
    const size = slotSize(bytes) > keptBytes ? Math.ceil(bytes / alignment) * alignment : slotSize(bytes);
    const at = this.free.findLastIndex((slot) => slot.size === size);
    if (at >= 0) {
      this.freeBytes -= size;
      return this.free.splice(at, 1)[0];
    }
    this.bytes += size;
    return this.gpu.createBuffer({ label: "readback", size, usage: usage.mapRead | usage.copyDst });
  }

  /** What was copied: `bytes` bytes from the start, and `tail` bytes behind them from `behind(bytes)` on. */
  async get(slot: GPUBuffer, bytes: number, tail: number): Promise<{ head: ArrayBuffer; tail: ArrayBuffer }> {
    const start = behind(bytes);
    const range = Math.min(slot.size, Math.max(8, start + tail));
    try {
      await slot.mapAsync(mapRead, 0, range);
    } catch (error) {
      this.drop(slot);
      throw error;
    }
    const mapped = slot.getMappedRange(0, range);
    const copy = { head: mapped.slice(0, bytes), tail: mapped.slice(start, start + tail) };
    slot.unmap();
    this.keep(slot);
    return copy;
  }

  /** Destroys the free slots. */
  trim(): void {
    for (const slot of this.free.splice(0)) this.drop(slot);
    this.freeBytes = 0;
  }

  // The longest unused go first.
  private keep(slot: GPUBuffer): void {
    if (slot.size > keptBytes) return this.drop(slot);
    this.free.push(slot);
    this.freeBytes += slot.size;
    while (this.freeBytes > keptBytes) {
      const oldest = this.free.shift()!;
      this.freeBytes -= oldest.size;
      this.drop(oldest);
    }
  }

  private drop(slot: GPUBuffer): void {
    this.bytes -= slot.size;
    slot.destroy();
  }
}
