/** @file GPU memory: reference-counted storages over a pool of whole buffers, kept by exact size because volumes repeat their shapes. */

import { ConfigError, OutOfMemoryError, TensorTooLargeError } from "../host/errors.ts";
import { tick } from "./versions.ts";
import type { GPUBuffer, GPUDevice } from "./webgpu.ts";

// Spelled out because Node has no GPUBufferUsage global.
export const usage = {
  mapRead: 0x1,
  copySrc: 0x4,
  copyDst: 0x8,
  uniform: 0x40,
  storage: 0x80,
  indirect: 0x100,
  queryResolve: 0x200,
} as const;

const tensorUsage = usage.storage | usage.copySrc | usage.copyDst;
/** Buffers are sized in these steps, so that tensors of nearly equal size share buckets and every binding offset is legal. */
export const alignment = 256;

export const alignUp = (bytes: number): number => Math.max(alignment, Math.ceil(bytes / alignment) * alignment);

/** What a binding covers: a vector of four at least, which there is memory for, so that what is not there and single words fit every kernel. */
export const boundBytes = (bytes: number): number => Math.max(16, bytes);

/** Free buffers beyond this and beyond what is in use go back to the system when a new size is asked for: shapes that came once. */
const keptBytes = 2 ** 30;

/** A piece of GPU memory, shared by the tensors that view it. While tracing it has a size but no buffer. */
export class Storage {
  readonly bytes: number;
  buffer: GPUBuffer | undefined;
  /** When it was made and last written, see `versions.ts`. */
  made = tick();
  changed = this.made;
  /** Grows when a captured step overwrites its results: tensors of an earlier generation are stale. */
  generation = 0;
  readonly pool: BufferPool | undefined;
  private references = 1;
  private pins = 0;
  private inherited = 0;

  /** Without a pool the storage is virtual: a size that a plan will place. A deferred one has no buffer before `allocate`. */
  constructor(bytes: number, pool?: BufferPool, deferred = false) {
    this.bytes = bytes;
    this.pool = pool;
    if (!deferred) this.allocate();
  }

  allocate(): void {
    if (!this.released) this.buffer ??= this.pool?.take(this.bytes);
  }

  /** The buffer. Throws `ConfigError` if there is none. */
  memory(): GPUBuffer {
    if (this.buffer) return this.buffer;
    throw new ConfigError(
      this.virtual
        ? "a tensor made inside capture() has no values outside of it: return it from the captured function, and make state that steps share before the capture"
        : "a tensor of a captured step has no values before the step's first call, nor after it was disposed",
    );
  }

  get virtual(): boolean {
    return this.pool === undefined;
  }

  /** To be called for every write. */
  touch(): void {
    this.changed = tick();
  }

  /** The values of all tensors made so far are overwritten. */
  renew(): void {
    this.generation++;
    this.touch();
  }

  /** A tensor and its values moved here from `before`: to whoever noted it earlier nothing has changed. */
  inherit(before: Storage): void {
    this.made = 0;
    this.changed = this.inherited = Math.max(this.inherited, before.changed);
  }

  /** Whether no tensor uses it any more; a plan may still. */
  get released(): boolean {
    return this.references === 0;
  }

  /** Whether more than one tensor uses it. */
  get shared(): boolean {
    return this.references > 1;
  }

  retain(): this {
    this.references++;
    return this;
  }

  release(): void {
    if (this.references === 0) return;
    this.references--;
    this.free();
  }

  /** Keeps the buffer, though not the values' meaning, for a plan that has it in its bind groups. */
  pin(): this {
    this.pins++;
    return this;
  }

  unpin(): void {
    this.pins--;
    this.free();
  }

  private free(): void {
    if (this.references > 0 || this.pins > 0 || !this.buffer) return;
    this.pool?.give(this.buffer);
    this.buffer = undefined;
  }
}

/** Bytes of device memory, by what they are for. */
export interface MemoryUse {
  /** Bytes in buffers that a storage or a plan holds now. */
  readonly live: number;
  /** Bytes in free buffers kept for reuse. */
  readonly pooled: number;
  /** Highest `live` + `pooled` so far. */
  readonly peak: number;
  /** Number of buffers held now. */
  readonly buffers: number;
}

export class BufferPool {
  private readonly gpu: GPUDevice;
  private readonly fail: (error: Error) => void;
  private readonly submit: () => void;
  private readonly free = new Map<number, GPUBuffer[]>();
  private readonly all = new Set<GPUBuffer>();
  private readonly asked = new Set<Promise<void>>();
  private live = 0;
  private pooled = 0;
  private peak = 0;
  private count = 0;

  /** `fail` receives what the device reports after the fact, such as a refused allocation; `submit` must submit all recorded commands. */
  constructor(gpu: GPUDevice, fail: (error: Error) => void, submit: () => void) {
    this.gpu = gpu;
    this.fail = fail;
    this.submit = submit;
  }

  get use(): MemoryUse {
    return { live: this.live, pooled: this.pooled, peak: this.peak, buffers: this.count };
  }

  /** A buffer of at least `bytes` bytes with undefined contents. Throws `TensorTooLargeError` above the device's limits. */
  take(bytes: number): GPUBuffer {
    const size = alignUp(bytes);
    this.expectFits(bytes);
    const list = this.free.get(size);
    const kept = list?.pop();
    if (list?.length === 0) this.free.delete(size);
    if (kept) this.pooled -= size;
    else if (this.pooled > Math.max(keptBytes, this.live)) this.trim();
    const buffer = kept ?? this.create(size);
    this.live += size;
    this.count++;
    this.peak = Math.max(this.peak, this.live + this.pooled);
    return buffer;
  }

  /** Throws `TensorTooLargeError` if no buffer can have `bytes` bytes. */
  expectFits(bytes: number): void {
    const { maxBufferSize } = this.gpu.limits;
    if (alignUp(bytes) <= maxBufferSize) return;
    throw new TensorTooLargeError(
      `a tensor of ${bytes} bytes exceeds this device's maxBufferSize of ${maxBufferSize} bytes: use smaller patches or a smaller batch, or fewer channels`,
    );
  }

  /** Resolves when the device has answered for every buffer made so far; undefined if it has. */
  get unanswered(): Promise<unknown> | undefined {
    return this.asked.size > 0 ? Promise.all(this.asked) : undefined;
  }

  /** Takes a buffer back. The queue runs in order, so it may be handed out again at once. */
  give(buffer: GPUBuffer): void {
    this.live -= buffer.size;
    this.pooled += buffer.size;
    this.count--;
    const list = this.free.get(buffer.size);
    if (list) list.push(buffer);
    else this.free.set(buffer.size, [buffer]);
  }

  /** Takes back and destroys a buffer whose size will hardly be asked for again. */
  discard(buffer: GPUBuffer): void {
    this.submit(); // recorded commands may name it
    this.live -= buffer.size;
    this.count--;
    this.destroy(buffer);
  }

  /** Destroys free buffers of `bytes` bytes together, those given back last first. */
  shed(bytes: number): void {
    if (bytes > 0) this.submit();
    for (const [size, list] of [...this.free].toReversed()) {
      if (bytes <= 0) return;
      while (bytes > 0 && list.length > 0) {
        const buffer = list.pop()!;
        bytes -= buffer.size;
        this.pooled -= buffer.size;
        this.destroy(buffer);
      }
      if (list.length === 0) this.free.delete(size);
    }
  }

  /** Destroys all free buffers. */
  trim(): void {
    this.submit();
    for (const list of this.free.values()) for (const b of list) this.destroy(b);
    this.free.clear();
    this.pooled = 0;
  }

  /** Destroys all buffers, those in use too. */
  close(): void {
    for (const buffer of this.all) this.destroy(buffer);
    this.free.clear();
  }

  private destroy(buffer: GPUBuffer): void {
    this.all.delete(buffer);
    buffer.destroy();
  }

  private create(size: number): GPUBuffer {
    // Without the scope a refused allocation is a silent buffer of zeros.
    this.gpu.pushErrorScope("out-of-memory");
    const buffer = this.gpu.createBuffer({ size, usage: tensorUsage });
    this.all.add(buffer);
    const answer = this.gpu.popErrorScope().then(
      (error) => {
        if (!error) return;
        this.fail(
          new OutOfMemoryError(
            `the device refused a buffer of ${size} bytes with ${this.live} bytes in use: use a smaller batch or patch, or dispose tensors earlier`,
          ),
        );
      },
      () => {}, // a lost device rejects its scopes; the loss itself is reported through `device.lost`
    );
    this.asked.add(answer);
    void answer.then(() => this.asked.delete(answer));
    return buffer;
  }
}
