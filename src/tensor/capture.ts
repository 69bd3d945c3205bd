/**
 * @file `capture(fn)` traces a step once per input shape, plans its memory, then replays the recorded dispatches with cached bind groups:
 * one submit per step, a known peak, and nothing that can leak from step to step.
 */

import { alignment, Storage, usage } from "./buffers.ts";
import type { Device } from "./device.ts";
import { ConfigError } from "./errors.ts";
import type { HostArray } from "./host.ts";
import { writeParams } from "./kernel.ts";
import { type Command, elideCopies, place, type Region, TraceStream } from "./plan.ts";
import { keep, scope } from "./scope.ts";
import { paramBytes } from "./stream.ts";
import { Tensor } from "./tensor.ts";

/** What a captured function may return. */
export type Result = Tensor | readonly Tensor[] | Readonly<Record<string, Tensor>>;
/** What a captured step takes: tensors, or host arrays that become f32 tensors. */
export type Input = Tensor | HostArray;

export interface Captured<R extends Result> {
  /** Replays the step; the result's tensors are overwritten by the next call with the same shapes, so read them before. */
  (...inputs: Input[]): R;
  /** Traces, plans and compiles without running, off the main thread where the platform can. Call it first to show progress. */
  prepare(inputs: readonly Input[], onProgress?: (done: number, total: number) => void): Promise<Plan<R>>;
  /** The plan used last. */
  readonly plan: Plan<R> | undefined;
  /** Frees the buffers of all plans. */
  dispose(): void;
}

/** A traced and placed step. */
export class Plan<R extends Result> {
  readonly result: R;
  /** Bytes of all buffers the step needs besides parameters and other tensors that live outside it. */
  readonly peakBytes: number;
  readonly dispatches: number;
  /** Layout of device memory when the step was traced. */
  readonly layoutVersion: number;
  readonly inputs: readonly Tensor[];
  private readonly device: Device;
  private readonly commands: readonly Command[];
  private readonly outside: readonly Storage[];
  private readonly sizes: readonly number[];
  private readonly slot: ReadonlyMap<Storage, number>;
  private readonly outputs: ReadonlyMap<Storage, Storage>;
  private buffers: GPUBuffer[] = [];
  private uniforms: GPUBuffer | undefined;
  private steps: (() => void)[] | undefined;

  constructor(device: Device, inputs: readonly Tensor[], fn: (...inputs: Tensor[]) => R) {
    this.device = device;
    this.inputs = inputs;
    this.layoutVersion = device.layoutVersion;
    const trace = new TraceStream();
    const outer = device.stream;
    let result!: R;
    let outside: Storage[] = [];
    // The scope frees constants made while tracing once the plan holds their memory.
    scope(() => {
      device.stream = trace;
      try {
        result = fn(...inputs);
      } finally {
        device.stream = outer;
      }
      outside = [...new Set(trace.commands.flatMap(regions).map((r) => r.storage))].filter((s) => !s.virtual).map((s) => s.retain());
    });
    this.outside = outside;
    // The result keeps memory of its own, so that it survives the step.
    const outputs = new Map<Storage, Storage>();
    const real = (t: Tensor): Tensor => {
      if (!t.storage.virtual) return t;
      let storage = outputs.get(t.storage);
      if (storage) storage.retain();
      else outputs.set(t.storage, (storage = new Storage(t.storage.bytes, device.pool)));
      return keep(new Tensor(device, storage, t.shape, t.dtype, t.byteOffset));
    };
    this.result = mapResult(result, real);
    this.outputs = outputs;
    const pinned = new Set(outputs.keys());
    this.commands = elideCopies(trace.commands, pinned);
    const placement = place(this.commands, pinned);
    this.slot = placement.slot;
    // Outputs got their memory above; placing them only kept others off it.
    const outputSlots = new Set([...outputs.keys()].map((s) => placement.slot.get(s)));
    this.sizes = placement.sizes.map((size, i) => (outputSlots.has(i) ? 0 : size));
    this.dispatches = this.commands.filter((c) => c.kind === "run").length;
    const sum = (list: Iterable<number>): number => [...list].reduce((a, b) => a + b, 0);
    this.peakBytes = sum(this.sizes) + sum([...outputs.values()].map((s) => s.bytes)) + sum(inputs.map((t) => t.bytes));
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

  /** Encodes the step into the eager stream. */
  replay(): void {
    this.steps ??= this.build();
    for (const step of this.steps) step();
  }

  dispose(): void {
    for (const b of this.buffers) this.device.pool.give(b);
    for (const s of this.outside) s.release();
    this.uniforms?.destroy();
    this.buffers = [];
    this.steps = undefined;
    mapResult(this.result, (t) => (t.dispose(), t));
    for (const t of this.inputs) t.dispose();
  }

  private build(): (() => void)[] {
    const { device } = this;
    const { eager, gpu } = device;
    this.buffers = this.sizes.map((size) => (size > 0 ? device.pool.take(size) : undefined!));
    const resource = ({ storage, offset, bytes }: Region): GPUBufferBinding => {
      const buffer = storage.buffer ?? this.outputs.get(storage)?.buffer ?? this.buffers[this.slot.get(storage)!];
      return { buffer, offset, size: bytes };
    };
    const words = new DataView(new ArrayBuffer(Math.max(1, this.commands.length) * alignment));
    this.uniforms = gpu.createBuffer({ label: "plan uniforms", size: words.byteLength, usage: usage.uniform | usage.copyDst });
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
        writeParams(words, offset, call.params);
        entries.unshift({ binding: 0, resource: { buffer: this.uniforms!, offset, size: paramBytes(call) } });
      }
      const group = gpu.createBindGroup({ layout, entries });
      const [x, y, z] = call.workgroups;
      return () => {
        const pass = eager.compute();
        pass.setPipeline(pipeline);
        pass.setBindGroup(0, group);
        pass.dispatchWorkgroups(x, y, z);
        eager.count.dispatches++;
      };
    });
    gpu.queue.writeBuffer(this.uniforms, 0, words.buffer as ArrayBuffer);
    this.buffers = this.buffers.filter(Boolean);
    return steps;
  }
}

function regions(command: Command): Region[] {
  return command.kind === "run" ? command.regions : [command.source, command.target];
}

function mapResult<R extends Result>(result: R, f: (t: Tensor) => Tensor): R {
  if (result instanceof Tensor) return f(result) as R;
  if (Array.isArray(result)) return result.map(f) as unknown as R;
  return Object.fromEntries(Object.entries(result as Record<string, Tensor>).map(([k, t]) => [k, f(t)])) as R;
}

/**
 * Makes a step of `fn`, which must be synchronous and the same for inputs of the same shapes: what it does with host values while traced
 * is done once. Values that change per step live on the device. Throws what `fn` throws.
 */
export function capture<R extends Result>(device: Device, fn: (...inputs: Tensor[]) => R): Captured<R> {
  const plans = new Map<string, Plan<R>>();
  let latest: Plan<R> | undefined;

  const planFor = (inputs: readonly Input[]): Plan<R> => {
    if (device.stream !== device.eager) throw new ConfigError("capture: a captured step cannot run inside another capture");
    const key = inputs.map((x) => x.shape.join("x") + (x instanceof Tensor ? x.dtype : "f32")).join(" ");
    let plan = plans.get(key);
    // Traced again when tensors moved: an optimiser packs its parameters when it is made.
    for (let attempt = 0; plan?.layoutVersion !== device.layoutVersion; attempt++) {
      if (attempt === 3) throw new ConfigError("capture: the step moves tensors each time it is traced; create optimisers outside of it");
      plan?.dispose();
      plan = new Plan(
        device,
        inputs.map((x) => keep(device.empty(x.shape, x instanceof Tensor ? x.dtype : "f32"))),
        fn,
      );
      plans.set(key, plan);
    }
    latest = plan;
    return plan!;
  };

  const step = (...inputs: Input[]): R => {
    const plan = planFor(inputs);
    inputs.forEach((x, i) => {
      if (x instanceof Tensor) device.eager.copy(x, plan.inputs[i], 0);
      else device.write(plan.inputs[i], x);
    });
    plan.replay();
    return plan.result;
  };

  return Object.defineProperty(
    Object.assign(step, {
      async prepare(inputs: readonly Input[], onProgress?: (done: number, total: number) => void): Promise<Plan<R>> {
        const plan = planFor(inputs);
        await plan.compile(onProgress);
        return plan;
      },
      dispose(): void {
        for (const plan of plans.values()) plan.dispose();
        plans.clear();
        latest = undefined;
      },
    }),
    "plan",
    { get: () => latest },
  ) as Captured<R>;
}
