/** @file Streams take kernel descriptions. The eager stream encodes them at once: many dispatches per pass, few submits. */

import type { Backlog } from "./backlog.ts";
import { type BufferPool, Storage, alignment, boundBytes, usage } from "./buffers.ts";
import { ConfigError } from "../host/errors.ts";
import { type Bound, type KernelCall } from "./kernel.ts";
import type { PipelineCache } from "./pipelines.ts";
import { expectUnchanged } from "./versions.ts";
import type { GPUBuffer, GPUComputePassEncoder, GPUDevice, GPUComputePassTimestampWrites } from "./webgpu.ts";

export interface Stream {
  allocate(bytes: number): Storage;
  run(call: KernelCall): void;
  /** Copies all of `source` to `target`, `targetOffset` bytes after its start; or only runs of bytes of it, to runs that may lie at other distances. */
  copy(source: Bound, target: Bound, targetOffset: number, runs?: CopiedRuns): void;
}

/** Runs of adjacent bytes, and how many bytes one begins behind the other on both sides. */
export interface CopiedRuns {
  readonly count: number;
  readonly bytes: number;
  readonly from: number;
  readonly to: number;
}

const slots = 256;

export class EagerStream implements Stream {
  /** Submits and dispatches so far; tests and benches read the difference. */
  readonly count = { submits: 0, dispatches: 0 };
  /** Gives the timestamp writes of each dispatch while kernels are timed, see `profile`. */
  timer: ((key: string) => GPUComputePassTimestampWrites | undefined) | undefined;
  private readonly gpu: GPUDevice;
  private readonly pool: BufferPool;
  private readonly pipelines: PipelineCache;
  private readonly check: () => void;
  private readonly backlog: Backlog;
  private readonly arena: GPUBuffer;
  private readonly words = new Uint32Array((slots * alignment) / 4);
  private used = 0;
  private encoder: GPUCommandEncoder | undefined;
  private pass: GPUComputePassEncoder | undefined;

  constructor(gpu: GPUDevice, pool: BufferPool, pipelines: PipelineCache, check: () => void, backlog: Backlog) {
    this.gpu = gpu;
    this.pool = pool;
    this.pipelines = pipelines;
    this.check = check;
    this.backlog = backlog;
    this.arena = gpu.createBuffer({ label: "uniforms", size: slots * alignment, usage: usage.uniform | usage.copyDst });
  }

  allocate(bytes: number): Storage {
    return new Storage(bytes, this.pool);
  }

  run(call: KernelCall): void {
    if (this.used === slots) this.flush();
    const { pipeline, layout } = this.pipelines.get(call);
    const entries: GPUBindGroupEntry[] = call.bindings.map(({ tensor }, i) => ({
      binding: i + 1,
      resource: { buffer: tensor.storage.memory(), offset: tensor.byteOffset, size: boundBytes(tensor.bytes) },
    }));
    if (call.params) {
      const offset = this.used++ * alignment;
      this.words.set(call.params, offset / 4);
      entries.unshift({ binding: 0, resource: { buffer: this.arena, offset, size: paramBytes(call.params) } });
    }
    const pass = this.compute(call.program.key);
    pass.setPipeline(pipeline);
    pass.setBindGroup(0, this.gpu.createBindGroup({ layout, entries }));
    pass.dispatchWorkgroups(...call.workgroups);
    this.count.dispatches++;
    for (const { tensor, access } of call.bindings) if (access !== "read") tensor.storage.touch();
  }

  copy(source: Bound, target: Bound, targetOffset: number, runs?: CopiedRuns): void {
    expectCopy(source, target);
    target.storage.touch();
    const [from, to] = [source.storage.memory(), target.storage.memory()];
    const { count, bytes, ...step } = runs ?? { count: 1, bytes: source.bytes, from: 0, to: 0 };
    for (let i = 0; i < count; i++)
      this.copyBuffer(from, source.byteOffset + i * step.from, to, target.byteOffset + targetOffset + i * step.to, bytes);
  }

  copyBuffer(source: GPUBuffer, sourceOffset: number, target: GPUBuffer, targetOffset: number, bytes: number): void {
    if (source === target && sourceOffset === targetOffset) return; // WebGPU forbids what would change nothing
    if (bytes > 0) this.commands().copyBufferToBuffer(source, sourceOffset, target, targetOffset, bytes);
  }

  /** Fills a buffer with zeros. */
  clear(buffer: GPUBuffer): void {
    this.commands().clearBuffer(buffer);
  }

  /** The open pass, for a dispatch of the program `key`; one of its own while a timer is set. */
  compute(key: string): GPUComputePassEncoder {
    this.encoder ??= this.open();
    if (this.timer) {
      this.pass?.end();
      this.pass = this.encoder.beginComputePass({ label: key, timestampWrites: this.timer(key) });
    }
    this.pass ??= this.encoder.beginComputePass();
    return this.pass;
  }

  /** Writes host data in order with everything recorded so far. */
  upload(buffer: GPUBuffer, offset: number, data: ArrayBufferView): void {
    this.backlog.upload(data.byteLength, this.count.dispatches);
    this.flush(); // queue writes overtake commands that are recorded but not submitted
    const { buffer: memory, byteOffset, byteLength } = data;
    // WebGPU takes no memory that threads share.
    if (memory instanceof ArrayBuffer) this.gpu.queue.writeBuffer(buffer, offset, memory, byteOffset, byteLength);
    else this.gpu.queue.writeBuffer(buffer, offset, new Uint8Array(memory, byteOffset, byteLength).slice());
  }

  /** Submits what was recorded, then throws what the device has reported. */
  flush(): void {
    this.submit();
    this.check();
  }

  /** Submits what was recorded. Reports no fault, so that it may run where nobody catches. */
  submit(): void {
    if (!this.encoder) return;
    this.pass?.end();
    this.pass = undefined;
    const commands = this.encoder.finish();
    this.encoder = undefined;
    if (this.used) this.gpu.queue.writeBuffer(this.arena, 0, this.words.buffer, 0, this.used * alignment);
    this.used = 0;
    this.gpu.queue.submit([commands]);
    this.count.submits++;
  }

  /** Submits what was recorded and frees what it has for itself. */
  close(): void {
    this.submit();
    this.arena.destroy();
  }

  private commands(): GPUCommandEncoder {
    this.pass?.end();
    this.pass = undefined;
    this.encoder ??= this.open();
    return this.encoder;
  }

  private open(): GPUCommandEncoder {
    this.check();
    // Work that nobody reads must still start: submit when the current task is done. Faults wait for the next call: thrown here they
    // would end the process.
    queueMicrotask(() => this.submit());
    return this.gpu.createCommandEncoder();
  }
}

/** Throws `ConfigError` for a copy from one device to another, or of a value that a gradient needs and that is no longer there. */
export function expectCopy(source: Bound, target: Bound): void {
  const [from, to] = [source.storage, target.storage];
  if (from.pool && to.pool && from.pool !== to.pool) {
    throw new ConfigError("a tensor cannot be copied to another device: read it with `data` and make it anew there");
  }
  expectUnchanged(from);
}

/** Size of the binding of a uniform block; WGSL rounds struct sizes up to 16. */
export function paramBytes(params: Uint32Array): number {
  return Math.ceil(params.byteLength / 16) * 16;
}
