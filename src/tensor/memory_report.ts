/** @file Where a device's memory is. */

import type { BufferPool } from "./buffers.ts";
import type { PlanMemory } from "./plan_memory.ts";
import type { Readback } from "./readback.ts";

/** Bytes by purpose. What drivers take for themselves, such as compiled pipelines, is not known. */
export interface MemoryReport {
  /** Tensors that are no part of a captured step: parameters, optimizer state, what eager operations made. */
  readonly tensors: number;
  /**
   * Captured steps that have memory now, their inputs, results and constants, and the uniforms of their kernels. `count` of them, with `bytes` and, of
   * these kernels, `uniforms`.
   */
  readonly plans: { readonly count: number; readonly bytes: number; readonly uniforms: number };
  /** Scratch that all captured steps share. */
  readonly scratch: number;
  /** Free buffers kept for reuse. */
  readonly pooled: number;
  /** Staging of read-backs, in flight or kept for reuse. */
  readonly staging: number;
  /** All of these. */
  readonly total: number;
}

export function memoryReport(pool: BufferPool, plans: PlanMemory, readback: Readback): MemoryReport {
  const { live, pooled } = pool.use;
  const { scratch, count, bytes, uniforms } = plans;
  const staging = readback.bytes;
  const total = live + pooled + staging + uniforms;
  return { tensors: live - bytes - scratch, plans: { count, bytes, uniforms }, scratch, pooled, staging, total };
}
