/** @file The device: one adapter opened at its highest limits, its memory, pipelines, streams, read-backs and faults. */

import { doze, pollsWhileWaiting, sharesCompiled } from "#gpu";
import { type AdapterOptions, openAdapter, type OpenedAdapter } from "./adapter.ts";
import { Backlog } from "./backlog.ts";
import { BufferPool, type MemoryUse, Storage } from "./buffers.ts";
import { compile } from "./compile.ts";
import {
  ConfigError,
  DeviceLostError,
  DTypeError,
  OutOfMemoryError,
  ShapeError,
  TensorTooLargeError,
  WebGPUError,
} from "../host/errors.ts";
import type { DType, HostArray, TypedArray } from "../host/array.ts";
import type { KernelCall } from "./kernel.ts";
import { memoryReport, type MemoryReport } from "./memory_report.ts";
import { PipelineCache } from "./pipelines.ts";
import { PlanMemory } from "./plan_memory.ts";
import { behind, elementsOf, Readback } from "./readback.ts";
import { ValueFaults } from "./value_faults.ts";
import { Patience } from "./wait.ts";
import { expectOptions } from "../host/options.ts";
import { expectShape, type Shape, showShape } from "../host/shape.ts";
import { EagerStream, type Stream } from "./stream.ts";
import { byteLength, type Device, Tensor } from "./tensor.ts";
import { convert, expectUpload } from "./upload.ts";
import { expectUnchanged, now } from "./versions.ts";

export type { Device };

/** Options of `openDevice`. */
export interface DeviceOptions extends AdapterOptions {
  /** Bytes that one binding may have, at most and by default the adapter's `maxStorageBufferBindingSize`; operations on larger tensors run in pieces. */
  readonly maxBindingSize?: number;
  /** Bytes of inputs that the device may be behind before another upload throws `ConfigError`; default 1 GiB. */
  readonly maxBacklogBytes?: number;
}

/**
 * Opens the best WebGPU adapter of the machine: `navigator.gpu` in a browser or Deno, Dawn (npm `webgpu`) in Node; or what the options give.
 * Throws `NoAdapterError` with what to do if there is none, and `ConfigError` for options of other kinds or that exclude each other.
 */
export async function openDevice(options: DeviceOptions = {}): Promise<Device> {
  expectOptions(
    "openDevice",
    options,
    "maxBindingSize:number maxBacklogBytes:number powerPreference:text toggles:texts gpu adapter device",
  );
  const { maxBindingSize = Infinity } = options;
  // The largest element, and what a uniform block has to be aligned to.
  if (!(maxBindingSize >= 256))
    throw new ConfigError(`openDevice: maxBindingSize must be at least 256 bytes, got ${maxBindingSize}`);
  return new OpenDevice(await openAdapter(options), options);
}

// The device that a `capture` is tracing: tracing is synchronous, so there is one at most.
let tracing: Device | undefined;

class OpenDevice implements Device {
  readonly gpu: GPUDevice;
  readonly info: GPUAdapterInfo;
  readonly pool: BufferPool;
  readonly plans: PlanMemory;
  readonly pipelines: PipelineCache;
  readonly eager: EagerStream;
  readonly valueFaults: ValueFaults;
  readonly maxBindingSize: number;
  private current: Stream;
  // When the trace that goes on now began.
  private traced = 0;
  readonly choices = new Map<string, string>();
  layoutVersion = 0;
  private readonly readback: Readback;
  private readonly backlog: Backlog;
  private readonly shared: boolean;
  private readonly another: OpenedAdapter["again"];
  // Dispatches that the device is known to have done.
  private answeredAt = -1;
  private readonly patience = new Patience(pollsWhileWaiting, doze);
  private fault: Error | undefined;
  private closed = false;

  constructor(
    { gpu, info, shared, again }: OpenedAdapter,
    { maxBindingSize = Infinity, maxBacklogBytes = 2 ** 30 }: DeviceOptions,
  ) {
    this.gpu = gpu;
    this.info = info;
    this.shared = shared;
    this.another = again;
    this.backlog = new Backlog(maxBacklogBytes, () => gpu.queue.onSubmittedWorkDone());
    this.maxBindingSize = Math.min(maxBindingSize, gpu.limits.maxStorageBufferBindingSize);
    this.pool = new BufferPool(
      gpu,
      (error) => this.fail(error),
      () => this.eager.submit(),
    );
    this.plans = new PlanMemory(this.pool);
    this.pipelines = new PipelineCache(gpu);
    this.eager = new EagerStream(gpu, this.pool, this.pipelines, () => this.check(), this.backlog);
    this.current = this.eager;
    this.readback = new Readback(gpu);
    this.valueFaults = new ValueFaults(gpu, this.pool);
    gpu.addEventListener("uncapturederror", this.onError);
    gpu.lost.then((lost) => {
      if (this.closed) return;
      const why = lost.message ? `${lost.reason}: ${lost.message}` : lost.reason;
      this.fail(new DeviceLostError(`the GPU device was lost (${why}); open a new device and resume from the last checkpoint`));
    });
  }

  get software(): boolean {
    return /llvmpipe|lavapipe|swiftshader/i.test(`${this.info.description} ${this.info.architecture} ${this.info.device}`);
  }

  get name(): string {
    const { vendor, architecture, description, device } = this.info;
    return [vendor, architecture, description || device].filter(Boolean).join(" ") || "unnamed adapter";
  }

  get stream(): Stream {
    return this.current;
  }

  set stream(stream: Stream) {
    this.current = stream;
    this.traced = now();
    tracing = this.capturing ? this : undefined;
  }

  get capturing(): boolean {
    return this.stream !== this.eager;
  }

  get memory(): MemoryUse {
    return this.pool.use;
  }

  memoryReport(): MemoryReport {
    return memoryReport(this.pool, this.plans, this.readback);
  }

  check(): void {
    if (this.fault) throw this.fault;
    if (this.closed) throw new ConfigError("this device was closed");
  }

  empty(shape: Shape, dtype: DType = "f32"): Tensor {
    this.check();
    expectShape("device.empty", shape);
    const bytes = byteLength(shape, dtype);
    this.pool.expectFits(bytes); // here rather than in the plan, so that a capture fails at the operation that asks
    return new Tensor(this, this.stream.allocate(bytes), [...shape], dtype);
  }

  tensor(host: HostArray | { data: readonly number[]; shape: Shape }, dtype: DType = "f32"): Tensor {
    this.check();
    expectUpload("device.tensor", host);
    const data = convert(host.data, dtype);
    // Not through the stream: host data are real even while tracing, where they become constants of the plan.
    const storage = new Storage(byteLength(host.shape, dtype), this.pool);
    const tensor = new Tensor(this, storage, [...host.shape], dtype);
    if (tensor.size > 0) this.eager.upload(storage.memory(), 0, data);
    return tensor;
  }

  write(tensor: Tensor, host: HostArray | { data: readonly number[]; shape: Shape }): void {
    expectUpload("device.write", host, tensor.shape);
    const { storage } = tensor;
    const buffer = storage.memory();
    if (this.capturing && storage.made <= this.traced) {
      throw new ConfigError(
        "device.write: inside capture() it would happen once: write before the call, or make the values an input of the captured function",
      );
    }
    storage.touch();
    if (tensor.size > 0) this.eager.upload(buffer, tensor.byteOffset, convert(host.data, tensor.dtype));
  }

  run(call: KernelCall): void {
    if (tracing && tracing !== this) {
      throw new ConfigError(
        `${call.program.key}: inside capture() of another device it would run once and not in each call; capture a function for each device`,
      );
    }
    for (const { tensor, access } of call.bindings) {
      if (tensor.device && tensor.device !== this) {
        throw new ConfigError(`${call.program.key}: a tensor ${showShape(tensor.shape)} is on another device than the others`);
      }
      if (access === "read") expectUnchanged(tensor.storage);
      if (tensor.bytes <= this.maxBindingSize) continue;
      throw new TensorTooLargeError(
        `${call.program.key}: a tensor ${showShape(tensor.shape)} of ${tensor.bytes} bytes exceeds this device's maxStorageBufferBindingSize of ` +
          `${this.maxBindingSize} bytes: use smaller patches or a smaller batch, or fewer channels`,
      );
    }
    // The device would refuse it only later, and all that follows with it.
    const most = this.gpu.limits.maxComputeWorkgroupsPerDimension;
    if (call.workgroups.some((n) => n > most)) {
      throw new ShapeError(
        `${call.program.key}: [${call.workgroups.join(", ")}] workgroups, at most ${most} on each axis; use smaller tensors`,
      );
    }
    this.stream.run(call);
  }

  compile(calls: readonly KernelCall[], onDone: () => void): Promise<void> {
    return compile(this, calls, (ask) => this.patience.wait(ask, true), sharesCompiled ? this.another : undefined, onDone);
  }

  read(tensor: Tensor): Promise<TypedArray> {
    if (this.capturing) {
      throw new ConfigError(
        "a value cannot be read inside capture(): return the tensor from the captured function and read it afterwards",
      );
    }
    const { dtype, bytes, size } = tensor;
    if (dtype === "f16") throw new DTypeError("data: cast an f16 tensor to f32 before reading it");
    const buffer = tensor.storage.memory();
    this.check();
    const values = this.copied(buffer, tensor.byteOffset, bytes, "reading a tensor back").then((copy) =>
      elementsOf(copy, size, dtype),
    );
    // A value read late must not end the process when its device fails meanwhile: whoever awaits it is told, and so is the next call.
    values.catch(() => {});
    return values;
  }

  async settle(ahead = false): Promise<void> {
    this.eager.flush();
    // Unlike the queue, a copy is done when the work before it is, whatever is submitted until it is asked for.
    const mark = ahead ? this.valueFaults.buffer : undefined;
    await this.copied(mark, 0, mark ? 4 : 0, "waiting for the device", ahead);
  }

  close(): void {
    if (this.closed) return;
    this.closed = true;
    if (!this.shared) return this.gpu.destroy();
    this.gpu.removeEventListener("uncapturederror", this.onError);
    this.eager.close();
    this.readback.trim();
    this.valueFaults.buffer.destroy();
    this.pool.close();
  }

  // Bytes of a buffer, after all work given so far, with what its kernels found wrong with values: then this throws.
  private async copied(
    buffer: GPUBuffer | undefined,
    offset: number,
    bytes: number,
    what: string,
    ahead = false,
  ): Promise<ArrayBuffer> {
    const { eager, readback, valueFaults: faults } = this;
    const tail = faults.take() ? faults.bytes : 0;
    if (!buffer && tail === 0) {
      await this.answered(() => this.gpu.queue.onSubmittedWorkDone(), what);
      return new ArrayBuffer(0);
    }
    const slot = readback.take(behind(bytes) + tail);
    if (buffer) eager.copyBuffer(buffer, offset, slot, 0, bytes);
    if (tail > 0) {
      eager.copyBuffer(faults.buffer, 0, slot, behind(bytes), tail);
      eager.clear(faults.buffer);
    }
    eager.submit();
    const copy = await this.answered(() => readback.get(slot, bytes, tail), what, ahead);
    faults.expectNone(new Uint32Array(copy.tail));
    return copy.head;
  }

  // What the device answers, or else why it did not.
  private async answered<T>(ask: () => Promise<T>, what: string, ahead = false): Promise<T> {
    const { dispatches } = this.eager.count;
    const idle = dispatches === this.answeredAt;
    const answered = this.backlog.mark();
    const waiting = ahead && !idle ? this.patience.waitAhead(ask) : this.patience.wait(ask, idle);
    const answer = await waiting.catch(async (error: Error) => {
      // A lost device rejects first and tells why a moment later.
      await Promise.race([this.gpu.lost, new Promise((resolve) => setTimeout(resolve, 50))]);
      this.check();
      throw new WebGPUError(`${what} failed: ${error.message}`);
    });
    this.answeredAt = Math.max(this.answeredAt, dispatches);
    answered();
    await this.pool.unanswered;
    this.check();
    return answer;
  }

  private readonly onError = (event: Event): void => this.report((event as GPUUncapturedErrorEvent).error);

  private report(error: GPUError): void {
    const message = `WebGPU reported: ${this.pipelines.explain(error.message)}`;
    // By name: Node has no such global.
    const known = error.constructor.name === "GPUOutOfMemoryError" ? new OutOfMemoryError(message) : new WebGPUError(message);
    // Use of a refused buffer is an error too, and may be told before the refusal, which is the cause.
    const wait = this.pool.unanswered;
    if (wait) void wait.then(() => this.fail(known));
    else this.fail(known);
  }

  private fail(error: Error): void {
    if (!this.closed) this.fault ??= error;
  }
}
