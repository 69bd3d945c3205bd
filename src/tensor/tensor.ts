/// <reference lib="esnext.disposable" preserve="true" />
/**
 * @file Tensor: a shape and an element type over a storage; and Device: what tensors and kernels ask of the GPU they live on. Neither knows an
 * operation; those live in `kernels` and `autograd`.
 */

import type { BufferPool, MemoryUse, Storage } from "./buffers.ts";
import { ConfigError, ShapeError } from "../host/errors.ts";
import { type DType, type HostArray, sizeOf, type TypedArray } from "../host/array.ts";
import type { KernelCall } from "./kernel.ts";
import type { PipelineCache } from "./pipelines.ts";
import type { PlanMemory } from "./plan_memory.ts";
import type { MemoryReport } from "./memory_report.ts";
import type { EagerStream, Stream } from "./stream.ts";
import type { ValueFaults } from "./value_faults.ts";
import { tracked } from "./lifetime.ts";
import { look, modeSet } from "./modes.ts";
import { type Shape, showShape } from "../host/shape.ts";
import type { GPUAdapterInfo, GPUDevice } from "./webgpu.ts";

const bytesPer: Record<DType, number> = { f32: 4, i32: 4, u32: 4, f16: 2 };

/** @throws ConfigError for a type that tensors do not have */
export function byteLength(shape: Shape, dtype: DType): number {
  if (!Object.hasOwn(bytesPer, dtype))
    throw new ConfigError(`tensors have the types ${Object.keys(bytesPer).join(", ")}, got ${String(dtype)}`);
  return Math.ceil((sizeOf(shape) * bytesPer[dtype]) / 4) * 4;
}

/** The `origin` of a tensor that was disposed and had one: the graph behind it may be collected, but `grad` has to know that there was more. */
export const cut: unknown = Object.freeze({});

// A net only: memory is freed by `dispose`, `using` or a scope. What a user forgets is returned when the object is collected.
const forgotten = new FinalizationRegistry<Storage>((storage) => storage.release());

/**
 * A GPU with its memory, pipelines and queue, opened by `openDevice`. Tensors live on one device and meet only tensors of it. All calls are
 * ordered: what is read was computed by everything recorded before.
 */
export interface Device {
  /** WebGPU's own handle: limits, features, queue. */
  readonly gpu: GPUDevice;
  /** What WebGPU tells of the adapter: vendor, architecture, device, description. */
  readonly info: GPUAdapterInfo;
  /** Bytes that one binding may have; operations on larger tensors run in pieces. See `DeviceOptions`. */
  readonly maxBindingSize: number;
  /** True on a software rasterizer (lavapipe, SwiftShader), where instruction count matters and occupancy does not. */
  readonly software: boolean;
  /** One readable line: vendor, architecture and driver of the adapter. */
  readonly name: string;
  /** Bytes in use, kept for reuse, and their peak. */
  readonly memory: MemoryUse;
  /** Where the device's memory is: tensors, captured steps, what is kept for reuse, read-backs. */
  memoryReport(): MemoryReport;
  /** Variants of kernels that were measured to be best here, by class of problem; see `tune`. Set them before steps are captured. */
  readonly choices: Map<string, string>;
  /** Whether `capture` is tracing: operations are recorded and tensors have no values. */
  readonly capturing: boolean;
  /** @internal */
  readonly pool: BufferPool;
  /** @internal */
  readonly plans: PlanMemory;
  /** @internal */
  readonly pipelines: PipelineCache;
  /** @internal */
  readonly eager: EagerStream;
  /** Where kernels note values that are wrong. @internal */
  readonly valueFaults: ValueFaults;
  /** Where operations send their kernels: the eager stream, or a trace while `capture` records. @internal */
  stream: Stream;
  /** Grows whenever a tensor moves to other memory, so that plans know to trace again. @internal */
  layoutVersion: number;

  /** A tensor of shape `shape` with undefined contents. Throws `ShapeError`, `TensorTooLargeError`. */
  empty(shape: Shape, dtype?: DType): Tensor;
  /**
   * A tensor with the values of a host array, converted to `dtype` (f32, i32 or u32; default f32).
   * Throws `ShapeError` if the data do not fill the shape. `shape` has the length of each axis.
   */
  tensor(host: HostArray | { data: readonly number[]; shape: Shape }, dtype?: DType): Tensor;
  /**
   * Overwrites all elements of `tensor`, in order with the work recorded so far. Throws `ShapeError` if the data do not fill it, `ConfigError`
   * inside a capture, where it would happen once and not in each call, unless the tensor was made there by `device.tensor`. `host` has data and shape; only
   * the number of elements must agree.
   */
  write(tensor: Tensor, host: HostArray | { data: readonly number[]; shape: Shape }): void;
  /** See `Tensor.data`. Throws at once, rather than through the promise, what can be known at once. Elements in row-major order, whatever the shape. */
  read(tensor: Tensor): Promise<TypedArray>;
  /**
   * Hands a kernel to the stream. Throws `TensorTooLargeError` if a tensor is over the binding limit: the operation does not run in pieces,
   * see `kernels/lib/pieces.ts`. @internal
   */
  run(call: KernelCall): void;
  /** Compiles the programs of calls, one of each; `onDone` hears of each. @internal */
  compile(calls: readonly KernelCall[], onDone: () => void): Promise<void>;
  /**
   * Resolves when all work given so far is done. Throws what the device reported, and `DataError` as `Tensor.data`.
   * @param ahead whether more work is given before this is awaited, so that it may resolve a little late: where waiting costs a core it sleeps then
   */
  settle(ahead?: boolean): Promise<void>;
  /**
   * Throws the first thing that the device reported, if anything: errors of shaders and commands, refused memory, loss. Commands that
   * came later had no effect, so every later call throws it too; open a new device to go on.
   */
  check(): void;
  /** Frees everything. Tensors of this device must not be used afterwards. */
  close(): void;
}

/** An n-dimensional array on the device, always contiguous and row-major; images are `[N, C, D, H, W]`, `[N, C, H, W]` or `[N, C, W]`. */
export class Tensor {
  /** Where it lives. */
  readonly device: Device;
  /** Length of each axis, the slowest first; `[]` for a scalar. */
  readonly shape: Shape;
  /** Element type. */
  readonly dtype: DType;
  /** Start of this tensor inside its storage, in bytes. @internal */
  readonly byteOffset: number;
  /** Where autograd notes how this tensor came about. */
  origin: unknown = undefined;
  private held: Storage;
  private gone = false;
  private holds = true;
  private wanted = false;
  private generation: number;

  /** Takes over one reference to `storage`. Use `device.empty`, `device.tensor` or an operation instead. @internal */
  constructor(device: Device, storage: Storage, shape: Shape, dtype: DType, byteOffset = 0) {
    this.device = device;
    this.held = storage;
    this.shape = shape;
    this.dtype = dtype;
    this.byteOffset = byteOffset;
    this.generation = storage.generation;
    if (!storage.virtual) {
      forgotten.register(this, storage, this);
      tracked(this);
    }
  }

  /** Number of elements. */
  get size(): number {
    return sizeOf(this.shape);
  }

  /** Number of axes. */
  get rank(): number {
    return this.shape.length;
  }

  /** Bytes of its elements. */
  get bytes(): number {
    return byteLength(this.shape, this.dtype);
  }

  /** Whether its memory was given back; it must not be used any more. */
  get disposed(): boolean {
    return this.gone;
  }

  /** Whether `grad` may be asked for this tensor; set on parameters. */
  get requiresGrad(): boolean {
    return this.held.virtual ? this.wanted : look(this, Tensor.wants);
  }

  set requiresGrad(on: boolean) {
    const differs = on !== this.wanted;
    this.wanted = on;
    modeSet(this, differs);
  }

  private static readonly wants = (t: Tensor): boolean => t.wanted;

  /** Whether this is a result of a captured step whose memory was taken since. */
  get stale(): boolean {
    return this.generation !== this.held.generation;
  }

  /** The memory under this tensor. Throws `ConfigError` after `dispose`, and for the result of a captured step that has run again. @internal */
  get storage(): Storage {
    if (this.stale) {
      throw new ConfigError(
        `a result ${showShape(this.shape)} of a captured step is stale: a later call, or its dispose, took the memory; read it before that ` +
          "(`result.data()` may be awaited later), or copy it with an operation",
      );
    }
    if (this.gone) throw new ConfigError(`a tensor ${showShape(this.shape)} was used after it was disposed`);
    return this.held;
  }

  /** The same elements under another shape; shares memory. Throws `ShapeError` if the element counts differ. */
  view(shape: Shape): Tensor {
    if (sizeOf(shape) !== this.size) {
      throw new ShapeError(`view: ${showShape(this.shape)} has ${this.size} elements, ${showShape(shape)} has ${sizeOf(shape)}`);
    }
    return new Tensor(this.device, this.storage.retain(), shape, this.dtype, this.byteOffset);
  }

  /**
   * Moves this tensor to other memory. Only for owners that move values too, such as an optimizer that packs its parameters. Throws
   * `ConfigError` inside a capture, whose memory holds values only during a step. @internal
   */
  rebase(storage: Storage, byteOffset: number): void {
    if (storage.virtual) throw new ConfigError("a tensor cannot move into a capture: create optimizers before the captured step");
    const before = this.storage; // throws if disposed
    this.held = storage.retain();
    this.generation = storage.generation;
    if (storage !== before) storage.inherit(before);
    before.release();
    forgotten.unregister(this);
    (this as { byteOffset: number }).byteOffset = byteOffset;
    forgotten.register(this, storage, this);
    this.device.layoutVersion++;
  }

  /** Gives the memory back. A second call does nothing. `grad` of what was computed from it throws `ConfigError`, unless it is a parameter. */
  dispose(): void {
    if (this.gone) return;
    this.gone = true;
    this.lapse();
    if (this.origin !== undefined) this.origin = cut;
  }

  /** Gives the memory of a stale result back; to whoever uses it, it is stale rather than disposed. */
  lapse(): void {
    if (!this.holds) return;
    this.holds = false;
    forgotten.unregister(this);
    this.held.release();
  }

  /** Text as `f32 [2, 3]`; throws `ConfigError` where a number is wanted, which `hint` says. */
  [Symbol.toPrimitive](hint: string): string {
    if (hint === "string") return this.toString();
    throw new ConfigError(
      `a tensor ${showShape(this.shape)} was used as a number: read it with \`await tensor.item()\`, outside of capture, or compute with ` +
        "operations such as add, gt and where",
    );
  }

  /** Text as `f32 [2, 3]`. */
  toString(): string {
    return `${this.dtype} ${showShape(this.shape)}`;
  }

  /** What `console.log` prints in Node, Deno and Bun: type, shape and state. The values are on the device: `await tensor.data()`. @internal */
  [Symbol.for("nodejs.util.inspect.custom")](): string {
    const words = [this.wanted && "requiresGrad", this.gone && "disposed", this.stale && "stale"].filter(Boolean);
    return `Tensor ${[this.toString(), ...words].join(" ")}`;
  }

  /** `dispose`, for `using`. */
  [Symbol.dispose](): void {
    this.dispose();
  }

  /**
   * Reads the elements back. The copy is ordered now; await the promise later to read without stalling the queue. Throws `DataError` if an
   * operation before it, of this tensor or another, met a value that it cannot take, such as a class index outside of the classes; once.
   */
  data(): Promise<TypedArray> {
    return this.device.read(this);
  }

  /** Reads a tensor of one element back. Throws `ShapeError` for any other size. */
  item(): Promise<number> {
    if (this.size !== 1) throw new ShapeError(`item: expected one element, got shape ${showShape(this.shape)}`);
    const value = this.data().then((values) => values[0]);
    value.catch(() => {}); // as in Device.read
    return value;
  }
}
