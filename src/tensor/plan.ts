/**
 * @file A captured step: its memory is planned from a trace of the function, then the recorded dispatches are replayed with cached bind
 * groups: one submit per step, a known peak, and nothing that can leak from step to step.
 */

import { alignment, alignUp, Storage, usage } from "./buffers.ts";
import type { Device } from "./device.ts";
import { ConfigError } from "../host/errors.ts";
import type { DType, HostArray } from "../host/array.ts";
import { type Command, elideCopies, place, type Region, TraceStream } from "./trace.ts";
import { keep, scope } from "./scope.ts";
import { paramBytes } from "./stream.ts";
import { byteLength, Tensor } from "./tensor.ts";

/** What a captured function may return. */
export type CaptureResult = Tensor | readonly Tensor[] | Readonly<Record<string, Tensor>>;
/** What a captured step takes: tensors, or host arrays that become f32 tensors. */
export type CaptureInput = Tensor | HostArray;

/** Host arrays become f32. */
export const dtypeOf = (x: CaptureInput): DType => (x instanceof Tensor ? x.dtype : "f32");

// What a plan takes from the pool besides its tensors; apart from the plan, so that it can be given back after the plan was collected.
interface Held {
  readonly device: Device;
  readonly buffers: (GPUBuffer | undefined)[];
  readonly outside: Storage[];
  uniforms?: GPUBuffer;
}

function giveBack({ device, buffers, outside, uniforms }: Held): void {
  device.eager.submit(); // recorded dispatches may name the uniforms
  for (const b of buffers) if (b) device.pool.give(b);
  for (const s of outside) s.unpin();
  uniforms?.destroy();
}

const forgotten = new FinalizationRegistry(giveBack); // a net only, as for tensors

// Above this the systems' watchdogs come near (2 s on Windows).
const longStepMs = 500;

/** What is known of a captured step before it first runs. */
export interface CapturedPlan {
  /** Bytes of all tensor memory the step takes: inputs, results, scratch and constants, without what lives outside it, such as parameters. */
  readonly peakBytes: number;
  /** Kernels that one call runs. */
  readonly dispatches: number;
  /** Where the step reads its inputs: an input that is one of these is not copied. */
  readonly inputs: readonly Tensor[];
}

/** A traced and placed step. It takes no memory before it is first loaded. */
export class Plan<R extends CaptureResult> implements CapturedPlan {
  readonly peakBytes: number;
  readonly dispatches: number;
  /** Layout of device memory when the step was traced. */
  readonly layoutVersion: number;
  readonly inputs: readonly Tensor[];
  private readonly device: Device;
  private readonly commands: readonly Command[];
  private readonly held: Held;
  private readonly watched: readonly Storage[];
  private readonly sizes: readonly number[];
  private readonly slot: ReadonlyMap<Storage, number>;
  private readonly outputs = new Map<Storage, Storage>();
  private readonly own: R;
  private readonly given = new Map<Tensor, Tensor>();
  private steps: (() => void)[] | undefined;
  private submitEvery = Infinity;
  private disposed = false;

  constructor(device: Device, inputs: readonly CaptureInput[], fn: (...inputs: Tensor[]) => R) {
    this.device = device;
    this.layoutVersion = device.layoutVersion;
    for (const x of inputs) device.pool.expectFits(byteLength(x.shape, dtypeOf(x)));
    this.inputs = inputs.map((x) => {
      const storage = new Storage(byteLength(x.shape, dtypeOf(x)), device.pool, true);
      return keep(new Tensor(device, storage, [...x.shape], dtypeOf(x)));
    });
    const trace = new TraceStream();
    const outer = device.stream;
    const before = device.memory.live;
    let own!: R;
    // The scope frees constants made while tracing; the trace holds their memory.
    scope(() => {
      device.stream = trace;
      try {
        const result = fn(...this.inputs);
        expectResult(result);
        own = mapResult(result, (t) => this.output(t, trace));
      } catch (error) {
        for (const s of trace.outside) s.unpin();
        throw error;
      } finally {
        device.stream = outer;
      }
    });
    const outside = [...trace.outside];
    const constants = Math.max(0, device.memory.live - before);
    this.own = own;
    this.held = { device, buffers: [], outside };
    forgotten.register(this, this.held, this);
    this.watched = outside.filter((s) => !s.released); // all but constants
    const pinned = new Set(this.outputs.keys());
    this.commands = elideCopies(trace.commands, pinned);
    const placement = place(this.commands, pinned);
    this.slot = placement.slot;
    // Outputs have memory of their own; placing them only kept others off it.
    const outputSlots = new Set([...pinned].map((s) => placement.slot.get(s)));
    this.sizes = placement.sizes.map((size, i) => (outputSlots.has(i) ? 0 : size));
    this.dispatches = this.commands.filter((c) => c.kind === "run").length;
    const sum = (list: Iterable<number>): number => [...list].reduce((a, b) => a + b, 0);
    this.peakBytes =
      sum(this.sizes) + sum([...pinned].map((s) => alignUp(s.bytes))) + sum(this.inputs.map((t) => alignUp(t.bytes))) + constants;
  }

  /** Whether tensors that the step uses have moved or are gone: it must be traced again. */
  get stale(): boolean {
    return this.layoutVersion !== this.device.layoutVersion || this.watched.some((s) => s.released);
  }

  /** What the captured function returned. The memory is the plan's: a tensor that its user disposed is simply made anew. */
  get result(): R {
    return mapResult(this.own, (t) => {
      let view = this.given.get(t);
      if (!view || view.disposed) this.given.set(t, (view = keep(t.view(t.shape))));
      return view;
    });
  }

  /** Compiles every pipeline of the plan. */
  async compile(onProgress?: (done: number, total: number) => void): Promise<void> {
    const calls = new Map(this.commands.flatMap((c) => (c.kind === "run" ? [[c.call.program.key, c.call] as const] : [])));
    let done = 0;
    await Promise.all(
      [...calls.values()].map(async (call) => {
        await this.device.pipelines.prepare(call);
        onProgress?.(++done, calls.size);
      }),
    );
  }

  /** Takes the step's memory and copies its inputs in. */
  load(inputs: readonly CaptureInput[]): void {
    const { device } = this;
    device.eager.flush(); // so that no submit is longer than a step, also in a loop that never awaits
    for (const t of this.inputs) t.storage.allocate();
    // Host data first: written after a copy was recorded, they would cost a second submit.
    inputs.forEach((x, i) => x instanceof Tensor || device.write(this.inputs[i], x));
    inputs.forEach((x, i) => x instanceof Tensor && device.eager.copy(x, this.inputs[i], 0));
  }

  /** Encodes the step into the eager stream. */
  replay(): void {
    if (this.disposed) throw new ConfigError("capture: this plan was disposed");
    const { eager, software } = this.device;
    const first = !this.steps;
    const steps = (this.steps ??= this.build());
    steps.forEach((step, i) => {
      if (i > 0 && i % this.submitEvery === 0) eager.flush();
      step();
    });
    if (first && !software) this.measure(steps.length);
  }

  // Systems kill long GPU work: a step whose first run took too long is split from then on. Software adapters have no watchdog.
  private measure(commands: number): void {
    const { eager, gpu } = this.device;
    eager.flush();
    const start = performance.now();
    const done = (): void => {
      const ms = performance.now() - start;
      if (ms > longStepMs) this.submitEvery = Math.ceil((commands * longStepMs) / 2 / ms);
    };
    gpu.queue.onSubmittedWorkDone().then(done, () => {}); // a lost device is reported elsewhere
  }

  dispose(): void {
    if (this.disposed) return;
    this.disposed = true;
    forgotten.unregister(this);
    giveBack(this.held);
    this.steps = undefined;
    for (const t of this.given.values()) t.dispose();
    mapResult(this.own, (t) => (t.dispose(), t));
    for (const t of this.inputs) t.dispose();
  }

  // The result keeps memory of its own, so that it survives the step. What lives outside the plan is shared, but not an input: a result
  // passed back in must not be the buffer that it is copied to.
  private output(t: Tensor, trace: TraceStream): Tensor {
    const { device } = this;
    if (this.inputs.some((x) => x.storage === t.storage)) {
      const copy = new Tensor(device, trace.allocate(t.bytes), t.shape, t.dtype);
      trace.copy(t, copy, 0);
      t = copy;
    }
    let storage: Storage | undefined = t.storage;
    if (storage.virtual) {
      storage = this.outputs.get(t.storage);
      if (!storage) this.outputs.set(t.storage, (storage = new Storage(t.storage.bytes, device.pool, true)));
      else storage.retain();
    } else storage.retain();
    return keep(new Tensor(device, storage, t.shape, t.dtype, t.byteOffset));
  }

  private build(): (() => void)[] {
    const { device, outputs } = this;
    const { buffers } = this.held;
    const { eager, gpu } = device;
    for (const s of outputs.values()) s.allocate();
    this.sizes.forEach((size, i) => (buffers[i] ??= size > 0 ? device.pool.take(size) : undefined));
    const resource = ({ storage, offset, bytes }: Region): GPUBufferBinding => {
      const buffer = storage.virtual ? (outputs.get(storage)?.memory() ?? buffers[this.slot.get(storage)!]!) : storage.memory();
      return { buffer, offset, size: bytes };
    };
    const words = new Uint32Array((Math.max(1, this.commands.length) * alignment) / 4);
    const uniforms = gpu.createBuffer({ label: "plan uniforms", size: words.byteLength, usage: usage.uniform | usage.copyDst });
    const steps = this.commands.map((command, index): (() => void) => {
      if (command.kind === "copy") {
        const from = resource(command.source);
        const to = resource(command.target);
        return () => eager.copyBuffer(from.buffer, from.offset!, to.buffer, to.offset!, command.source.bytes);
      }
      const { call } = command;
      const { pipeline, layout } = device.pipelines.get(call);
      const entries: GPUBindGroupEntry[] = command.regions.map((r, i) => ({ binding: i + 1, resource: resource(r) }));
      if (call.params) {
        const offset = index * alignment;
        words.set(call.params, offset / 4);
        entries.unshift({ binding: 0, resource: { buffer: uniforms, offset, size: paramBytes(call.params) } });
      }
      const group = gpu.createBindGroup({ layout, entries });
      const [x, y, z] = call.workgroups;
      return () => {
        const pass = eager.compute(call.program.key);
        pass.setPipeline(pipeline);
        pass.setBindGroup(0, group);
        pass.dispatchWorkgroups(x, y, z);
        eager.count.dispatches++;
      };
    });
    gpu.queue.writeBuffer(uniforms, 0, words);
    this.held.uniforms = uniforms;
    return steps;
  }
}

function expectResult(result: unknown): void {
  const list = result instanceof Tensor ? [result] : Object.values(result ?? { nothing: 0 });
  if (!(result instanceof Promise) && list.every((t) => t instanceof Tensor)) return;
  throw new ConfigError("capture: the function must be synchronous and return a tensor, or an array or a record of tensors");
}

function mapResult<R extends CaptureResult>(result: R, f: (t: Tensor) => Tensor): R {
  if (result instanceof Tensor) return f(result) as R;
  if (Array.isArray(result)) return result.map(f) as unknown as R;
  return Object.fromEntries(Object.entries(result as Record<string, Tensor>).map(([k, t]) => [k, f(t)])) as R;
}
