/** @file Read-backs through a ring of mapped staging buffers, so that reading a loss late never stalls the queue. */

import { alignUp, usage } from "./buffers.ts";
import type { DType, TypedArray } from "../host/array.ts";

const mapRead = 1;
/** Small slots are kept for reuse; large ones, such as whole volumes, are destroyed after use. */
const keptBytes = 1 << 20;

export class Readback {
  private readonly gpu: GPUDevice;
  private readonly free = new Map<number, GPUBuffer[]>();

  constructor(gpu: GPUDevice) {
    this.gpu = gpu;
  }

  /** A staging buffer of at least `bytes` bytes; pass it to `get` after a copy into it was submitted. */
  take(bytes: number): GPUBuffer {
    const size = alignUp(bytes);
    return this.free.get(size)?.pop() ?? this.gpu.createBuffer({ label: "readback", size, usage: usage.mapRead | usage.copyDst });
  }

  async get(slot: GPUBuffer, bytes: number, count: number, dtype: Exclude<DType, "f16">): Promise<TypedArray> {
    try {
      await slot.mapAsync(mapRead, 0, slot.size);
    } catch (error) {
      slot.destroy();
      throw error;
    }
    const copy = slot.getMappedRange(0, slot.size).slice(0, bytes);
    slot.unmap();
    if (slot.size > keptBytes) slot.destroy();
    else this.free.set(slot.size, [...(this.free.get(slot.size) ?? []), slot]);
    switch (dtype) {
      case "f32":
        return new Float32Array(copy, 0, count);
      case "i32":
        return new Int32Array(copy, 0, count);
      case "u32":
        return new Uint32Array(copy, 0, count);
    }
  }
}
