/**
 * @file A captured step: its memory is planned from a trace of the function, then the recorded dispatches are replayed with cached bind
 * groups: one submit per step, a known peak, and nothing that can leak from step to step.
 */

import { alignUp, Storage } from "./buffers.ts";
import type { Device } from "./device.ts";
import { encoded, placed, uniformBytes, uniformsOf } from "./encoding.ts";
import { ConfigError } from "../host/errors.ts";
import { type Parted } from "./steady.ts";
import { type Command, TraceStream, writtenBy } from "./trace.ts";
import { asSeen, type Seen, watchModes } from "./modes.ts";
import { type CaptureInput, dtypeOf, loadInputs } from "./plan_inputs.ts";
import { type ScratchSizes, sum } from "./plan_memory.ts";
import { type CaptureResult, expectResult, mapResult } from "./plan_result.ts";
import { keep, scope } from "./scope.ts";
import { showShape } from "../host/shape.ts";
import { expectNotAsync } from "./synchronous.ts";
import { byteLength, Tensor } from "./tensor.ts";

// What a plan takes from the pool besides its tensors; apart from the plan, so that it can be given back after the plan was collected.
interface Held {
  readonly device: Device;
  readonly scratch: ScratchSizes;
  readonly outside: readonly Storage[];
  /** As `device.plans` counts it once the plan was built. */
  readonly bytes: number;
  uniforms?: GPUBuffer;
}

function giveBack({ device, scratch, outside, bytes, uniforms }: Held): void {
  device.eager.submit(); // recorded dispatches may name the uniforms
  device.plans.leave(scratch);
  for (const s of outside) s.unpin();
  if (!uniforms) return;
  device.plans.note(bytes, uniforms.size, -1);
  uniforms.destroy();
}

const bytesOf = (storages: Iterable<Storage>): number => sum([...storages].map((s) => alignUp(s.bytes)));

/** Bytes that a step needs on the device, by purpose. */
export interface StepMemory {
  /** Buffers that inputs are copied to. */
  readonly inputs: number;
  /** What the step returns. */
  readonly results: number;
  /** Values that were uploaded while it was traced, and what is computed from weights only when these change. */
  readonly constants: number;
  /** Intermediate values; captured steps share it, see `Device.memoryReport`. */
  readonly scratch: number;
  /** Sizes and options of its kernels. */
  readonly uniforms: number;
  /** What lives outside of it and is there anyway: parameters, gradients in an optimizer's buffers, its state. */
  readonly outside: number;
}

const forgotten = new FinalizationRegistry(giveBack); // a net only, as for tensors

// Above this the systems' watchdogs come near (2 s on Windows).
const longStepMs = 500;
// Commands of a submit while nobody knows how long the device takes: a guess, as no GPU has run it.
const unmeasured = 16;

/** What is known of a captured step before it first runs. */
export interface CapturedPlan {
  /** Bytes that the device holds when the step runs, by purpose. */
  readonly memory: StepMemory;
  /** The sum of `memory`. In bytes. */
  readonly peakBytes: number;
  /** Bytes that the step brings with it: `peakBytes` without what is outside of it, such as parameters. */
  readonly ownBytes: number;
  /** Kernels that one call runs. */
  readonly dispatches: number;
  /** Where the step reads its inputs: an input that is one of these is not copied. Of the shapes that were traced. */
  readonly inputs: readonly Tensor[];
}

/** A traced and placed step. It takes no memory before it is first loaded. */
export class Plan<R extends CaptureResult> implements CapturedPlan {
  readonly memory: StepMemory;
  readonly dispatches: number;
  /** Layout of device memory when the step was traced. */
  readonly layoutVersion: number;
  readonly inputs: readonly Tensor[];
  private readonly device: Device;
  private readonly parts: Parted;
  private readonly held: Held;
  private readonly watched: readonly Storage[];
  private readonly generations: readonly number[];
  private readonly written: readonly Storage[];
  private readonly seen: Seen;
  // Which of the scratch buffers each virtual storage gets.
  private readonly slot: ReadonlyMap<Storage, number>;
  private readonly outputs = new Map<Storage, Storage>();
  private readonly kept = new Map<Storage, Tensor>();
  // When the newest of the memory that they were computed from had been written.
  private keptOf = -1;
  private readonly own: R;
  // Under the tensors of `own`, which are stale themselves after a replay.
  private readonly places = new Map<Tensor, Storage>();
  private readonly given = new Map<Tensor, Tensor>();
  private steps: (() => void)[] | undefined;
  private buffers: readonly GPUBuffer[] = [];
  // Systems kill long GPU work. Software adapters have no watchdog.
  private submitEvery: number;
  private disposed = false;

  constructor(device: Device, inputs: readonly CaptureInput[], fn: (...inputs: Tensor[]) => R) {
    expectNotAsync("capture", fn);
    this.device = device;
    this.submitEvery = device.software ? Infinity : unmeasured;
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
    const traced = (): void => {
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
        trace.finish();
      }
    };
    this.seen = watchModes(() => scope(traced));
    const outside = [...trace.outside];
    const constants = Math.max(0, device.memory.live - before);
    this.own = own;
    this.watched = outside.filter((s) => !s.released); // all but constants
    this.generations = this.watched.map((s) => s.generation);
    const pinned = new Set(this.outputs.keys());
    const inputStorages = this.inputs.map((t) => t.storage);
    const { parts, sizes, slot } = placed(trace.commands, pinned, inputStorages, bytesOf(outside) + bytesOf(inputStorages));
    this.parts = parts;
    for (const s of parts.kept) {
      const storage = new Storage(s.bytes, device.pool, true);
      this.kept.set(s, keep(new Tensor(device, storage, [Math.ceil(s.bytes / 4)], "u32")));
    }
    this.slot = slot;
    this.written = [...writtenBy(parts.each)];
    this.dispatches = parts.each.filter((c) => c.kind === "run").length;
    this.memory = {
      inputs: sum(this.inputs.map((t) => alignUp(t.bytes))),
      results: bytesOf(pinned),
      constants: constants + bytesOf(parts.kept),
      scratch: sum(sizes),
      uniforms: uniformBytes(this.commands),
      outside: bytesOf(this.watched.filter((s) => !this.inputs.some((t) => t.storage === s))),
    };
    const bytes = this.memory.inputs + this.memory.results + this.memory.constants;
    this.held = { device, scratch: sizes, outside, bytes };
    forgotten.register(this, this.held, this);
  }

  private get commands(): readonly Command[] {
    return [...this.parts.first, ...this.parts.each];
  }

  get peakBytes(): number {
    return sum(Object.values(this.memory));
  }

  get ownBytes(): number {
    return this.peakBytes - this.memory.outside;
  }

  /** The sizes of its scratch buffers, for those who count what plans take together. */
  get scratch(): ScratchSizes {
    return this.held.scratch;
  }

  /** Whether tensors that the step uses have moved or are gone, or are stale results of another step: it must be traced again. */
  get stale(): boolean {
    const gone = (s: Storage, i: number): boolean => s.released || s.generation !== this.generations[i];
    return this.layoutVersion !== this.device.layoutVersion || this.watched.some(gone);
  }

  /** Whether modules and tensors are in the modes that the step was traced in. */
  get inMode(): boolean {
    return asSeen(this.seen);
  }

  /** What the captured function returned, in memory of the plan, which the next replay overwrites: then these tensors are stale. */
  get result(): R {
    return mapResult(this.own, (t) => {
      let view = this.given.get(t);
      if (!view || view.disposed) {
        const { shape, dtype, byteOffset } = t;
        view = keep(new Tensor(this.device, this.places.get(t)!.retain(), shape, dtype, byteOffset));
        this.given.set(t, view);
      }
      return view;
    });
  }

  /** Compiles every pipeline of the plan. */
  async compile(onProgress?: (done: number, total: number) => void): Promise<void> {
    const calls = new Map(this.commands.flatMap((c) => (c.kind === "run" ? [[c.call.program.key, c.call] as const] : [])));
    let done = 0;
    await this.device.compile([...calls.values()], () => onProgress?.(++done, calls.size));
  }

  /** Takes the step's memory and copies its inputs in. */
  load(inputs: readonly CaptureInput[]): void {
    const { device } = this;
    device.eager.flush(); // so that no submit is longer than a step, also in a loop that never awaits
    loadInputs(device, this.inputs, inputs);
  }

  /** Encodes the step into the eager stream. */
  replay(): void {
    if (this.disposed) throw new ConfigError("capture: this plan was disposed");
    const { eager, software } = this.device;
    const first = !this.steps;
    const steps = this.built();
    for (const s of this.written) s.touch();
    for (const s of this.outputs.values()) s.renew();
    for (const [t, view] of this.given) {
      if (!view.stale) continue;
      view.lapse();
      this.given.delete(t);
    }
    const newest = Math.max(0, ...this.parts.sources.map((s) => s.changed));
    const from = newest === this.keptOf ? this.parts.first.length : 0;
    this.keptOf = newest;
    steps.slice(from).forEach((step, i) => {
      if (i > 0 && i % this.submitEvery === 0) eager.flush();
      step();
    });
    if (first && !software) this.measure(steps.length);
  }

  // A step whose first run took too long stays split, another one is a submit from then on.
  private measure(commands: number): void {
    const { eager, gpu } = this.device;
    eager.flush();
    const start = performance.now();
    const done = (): void => {
      const ms = performance.now() - start;
      this.submitEvery = ms > longStepMs ? Math.ceil((commands * longStepMs) / 2 / ms) : Infinity;
    };
    gpu.queue.onSubmittedWorkDone().then(done, () => {}); // a lost device is reported elsewhere
  }

  dispose(): void {
    if (this.disposed) return;
    this.disposed = true;
    forgotten.unregister(this);
    giveBack(this.held);
    this.steps = undefined;
    for (const s of this.outputs.values()) s.renew();
    for (const view of this.given.values()) view.dispose();
    mapResult(this.own, (t) => (t.dispose(), t));
    for (const t of this.kept.values()) t.dispose();
    for (const t of this.inputs) t.dispose();
  }

  // The result keeps memory of its own, so that it survives the step. What lives outside the plan is shared, but not an input: a result
  // passed back in must not be the buffer that it is copied to.
  private output(t: Tensor, trace: TraceStream): Tensor {
    const { device } = this;
    if (t.device !== device) throw new ConfigError(`capture: a result ${showShape(t.shape)} is on another device`);
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
    const own = keep(new Tensor(device, storage, t.shape, t.dtype, t.byteOffset));
    this.places.set(own, storage);
    return own;
  }

  // The recorded commands with their bind groups, made again when the scratch is in other buffers than before.
  private built(): (() => void)[] {
    const { device, held } = this;
    const buffers = device.plans.take(held.scratch);
    if (this.steps && buffers.every((b, i) => b === this.buffers[i])) return this.steps;
    if (!held.uniforms) {
      for (const s of this.outputs.values()) s.allocate();
      for (const t of this.kept.values()) t.storage.allocate();
      held.uniforms = uniformsOf(device, this.commands);
      device.plans.note(held.bytes, held.uniforms.size, 1);
    }
    this.buffers = buffers;
    const memory = (s: Storage): GPUBuffer =>
      s.virtual ? ((this.outputs.get(s) ?? this.kept.get(s)?.storage)?.memory() ?? buffers[this.slot.get(s)!]) : s.memory();
    return (this.steps = encoded(device, this.commands, memory, held.uniforms));
  }
}
