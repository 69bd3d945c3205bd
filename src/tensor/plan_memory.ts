/**
 * @file What the plans of a device hold together. Steps run one after the other, so no two of them need their scratch at the same time: all plans
 * use the same buffers, the i-th as large as the largest i-th buffer that any plan asks for.
 */

import type { BufferPool } from "./buffers.ts";
import type { GPUBuffer } from "./webgpu.ts";

/** Sizes of a plan's scratch buffers, the largest first. Also the identity of the plan here. */
export type ScratchSizes = readonly number[];

/** Of all. */
export const sum = (list: Iterable<number>): number => [...list].reduce((a, b) => a + b, 0);

function largest(members: Iterable<ScratchSizes>): number[] {
  const sizes: number[] = [];
  for (const member of members) member.forEach((size, i) => (sizes[i] = Math.max(sizes[i] ?? 0, size)));
  return sizes;
}

/** Bytes of scratch that plans of these sizes share. */
export const sharedScratch = (members: Iterable<ScratchSizes>): number => sum(largest(members));

export class PlanMemory {
  /** Plans with memory, and the bytes of their inputs, results and constants, and of their uniforms. */
  count = 0;
  bytes = 0;
  uniforms = 0;
  private readonly pool: BufferPool;
  private readonly members = new Set<ScratchSizes>();
  private needed: number[] = [];
  private buffers: (GPUBuffer | undefined)[] = [];

  constructor(pool: BufferPool) {
    this.pool = pool;
  }

  get scratch(): number {
    return sum(this.buffers.map((b) => b?.size ?? 0));
  }

  /** Notes the memory of one plan more, or with `sign` −1 of one fewer. */
  note(bytes: number, uniforms: number, sign: 1 | -1): void {
    this.count += sign;
    this.bytes += sign * bytes;
    this.uniforms += sign * uniforms;
  }

  /** The buffers that serve a plan now: others than the last time if a larger plan has come or gone. */
  take(sizes: ScratchSizes): readonly GPUBuffer[] {
    if (!this.members.has(sizes)) {
      this.members.add(sizes);
      this.fit();
    }
    return sizes.map((_, i) => (this.buffers[i] ??= this.pool.take(this.needed[i])));
  }

  /** Gives back what only this plan needed. */
  leave(sizes: ScratchSizes): void {
    if (this.members.delete(sizes)) this.fit();
  }

  private fit(): void {
    this.needed = largest(this.members);
    this.buffers = this.buffers.map((buffer, i) => {
      if (!buffer || buffer.size === this.needed[i]) return buffer;
      this.pool.discard(buffer);
      return undefined;
    });
    this.buffers.length = this.needed.length;
  }
}
