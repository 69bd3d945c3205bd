/**
 * @file Optimisers with PyTorch's defaults and numerics. Parameters are packed into flat buffers, so that a step is one dispatch for all of
 * them and a checkpoint is a few arrays; what changes per step (learning rate, bias corrections) lives on the device.
 */

import * as kernels from "../kernels/optim.ts";
import { full } from "../kernels/view.ts";
import { alignUp } from "../tensor/buffers.ts";
import type { Device } from "../tensor/device.ts";
import { CheckpointError, ConfigError, ShapeError } from "../tensor/errors.ts";
import type { HostArray } from "../tensor/host.ts";
import { sameShape, showShape } from "../tensor/shape.ts";
import { keep } from "../tensor/scope.ts";
import type { Tensor } from "../tensor/tensor.ts";
import type { StateDict } from "./module.ts";

/** Parameters that share hyper-parameters; those left out are the optimiser's. */
export interface ParamGroup<H> {
  readonly params: readonly Tensor[];
  readonly options?: Partial<H>;
}

// A flat buffer of parameters with its gradient and optimiser state.
class Pack {
  readonly params: Tensor[] = [];
  readonly offsets: number[] = [];
  bytes = 0;
  rate = 0;
  weight!: Tensor;
  gradient!: Tensor;
  state!: Tensor;
  moments: Tensor[] = [];

  /** Moves the parameters into one buffer. Gaps between them stay zero in every array, so that they never matter. */
  build(device: Device, hyper: readonly number[], moments: number): void {
    const shape = [this.bytes / 4];
    this.rate = hyper[0];
    const zeros = () => keep(full(device, shape, 0));
    this.weight = zeros();
    this.gradient = zeros();
    this.moments = Array.from({ length: moments }, zeros);
    this.state = keep(device.tensor({ data: hyper, shape: [hyper.length] }));
    this.params.forEach((p, i) => {
      device.stream.copy(p, this.weight, this.offsets[i]);
      p.rebase(this.weight.storage, this.offsets[i]);
    });
  }
}

export abstract class Optimizer {
  protected readonly device: Device;
  protected readonly packs: Pack[] = [];
  private readonly order: Tensor[] = [];

  protected constructor(groups: readonly { readonly params: readonly Tensor[]; readonly hyper: readonly number[] }[], moments: number) {
    const first = groups[0]?.params[0];
    if (!first) throw new ConfigError("an optimiser needs at least one parameter");
    this.device = first.device;
    if (this.device.stream !== this.device.eager) throw new ConfigError("create optimisers outside of capture()");
    const { maxBufferSize, maxStorageBufferBindingSize } = this.device.gpu.limits;
    const limit = Math.min(maxBufferSize, maxStorageBufferBindingSize);
    for (const { params, hyper } of groups) {
      let pack: Pack | undefined;
      for (const p of params) {
        if (this.order.includes(p)) throw new ConfigError(`a parameter of shape ${showShape(p.shape)} was given to the optimiser twice`);
        this.order.push(p);
        if (!pack || pack.bytes + alignUp(p.bytes) > limit) this.packs.push((pack = new Pack()));
        pack.params.push(p);
        pack.offsets.push(pack.bytes);
        pack.bytes += alignUp(p.bytes);
      }
      for (const q of this.packs) if (!q.weight) q.build(this.device, hyper, moments);
    }
  }

  /** Learning rate of the first group; setting it sets all groups. */
  get lr(): number {
    return this.packs[0].rate;
  }

  set lr(value: number) {
    for (const pack of this.packs) {
      pack.rate = value;
      this.device.eager.upload(pack.state.storage.buffer!, pack.state.byteOffset, new Float32Array([value]));
    }
  }

  /**
   * Updates all parameters from their gradients, given in the order of the parameters.
   * @throws ShapeError if a gradient has another shape than its parameter
   */
  step(gradients: readonly Tensor[]): void {
    if (gradients.length !== this.order.length) {
      throw new ShapeError(`step: ${gradients.length} gradients for ${this.order.length} parameters; pass grad(loss, parameters) in the same order`);
    }
    const of = new Map(this.order.map((p, i) => [p, gradients[i]]));
    for (const pack of this.packs) {
      pack.params.forEach((p, i) => {
        const g = of.get(p)!;
        if (!sameShape(g.shape, p.shape)) throw new ShapeError(`step: gradient ${showShape(g.shape)} for a parameter of shape ${showShape(p.shape)}`);
        this.device.stream.copy(g, pack.gradient, pack.offsets[i]);
      });
      this.update(pack);
    }
  }

  protected abstract update(pack: Pack): void;

  /** Hyper-parameters, counters and moments, enough to go on bit for bit. */
  async stateDict(): Promise<StateDict> {
    const entries = this.targets().map(async ([name, t]) => [name, { data: await t.data(), shape: t.shape }] as const);
    return new Map(await Promise.all(entries));
  }

  /** Throws `CheckpointError` if the state is of another optimiser or other parameters. */
  checkStateDict(state: ReadonlyMap<string, HostArray>): void {
    const targets = this.targets();
    for (const [name, t] of targets) {
      const given = state.get(name);
      if (!given || !sameShape(given.shape, t.shape)) {
        throw new CheckpointError(
          `optimiser state ${name}: expected ${showShape(t.shape)}, got ${given ? showShape(given.shape) : "nothing"}; is it of the same model and optimiser?`,
        );
      }
    }
    if (state.size !== targets.length) throw new CheckpointError(`optimiser state: ${state.size} arrays given, ${targets.length} expected`);
  }

  /** Restores what `stateDict` gave. Throws `CheckpointError` if it does not fit; then nothing is written. */
  loadStateDict(state: ReadonlyMap<string, HostArray>): void {
    this.checkStateDict(state);
    for (const [name, t] of this.targets()) this.device.write(t, state.get(name)!);
    this.packs.forEach((pack, k) => (pack.rate = state.get(`${k}.0`)!.data[0]));
  }

  private targets(): (readonly [string, Tensor])[] {
    return this.packs.flatMap((pack, k) => [pack.state, ...pack.moments].map((t, i) => [`${k}.${i}`, t] as const));
  }

  /** Frees gradients and moments; the parameters stay. */
  dispose(): void {
    for (const pack of this.packs) for (const t of [pack.weight, pack.gradient, pack.state, ...pack.moments]) t.dispose();
  }
}

function groupsOf<H>(params: readonly Tensor[] | readonly ParamGroup<H>[]): readonly ParamGroup<H>[] {
  const [first] = params;
  return first && "params" in first ? (params as readonly ParamGroup<H>[]) : [{ params: params as readonly Tensor[] }];
}

export interface AdamOptions {
  /** Default 1e-3. */
  readonly lr?: number;
  /** Default [0.9, 0.999]. */
  readonly betas?: readonly [number, number];
  /** Default 1e-8. */
  readonly eps?: number;
  /** L2 penalty added to the gradient (Adam) or decay applied to the weight (AdamW); default 0, AdamW 0.01. */
  readonly weightDecay?: number;
}

/** Adam (Kingma and Ba 2015). Packs the parameters into one buffer when it is made. Throws `ConfigError` for values out of range. */
export class Adam extends Optimizer {
  protected readonly decoupled: boolean = false;

  constructor(params: readonly Tensor[] | readonly ParamGroup<AdamOptions>[], options: AdamOptions = {}) {
    const groups = groupsOf(params);
    const hyper = groups.map((g) => {
      const { lr = 1e-3, betas = [0.9, 0.999], eps = 1e-8, weightDecay = 0 } = { ...options, ...g.options };
      requireRange("Adam", "lr", lr, 0, Infinity);
      requireRange("Adam", "betas[0]", betas[0], 0, 1 - 1e-12);
      requireRange("Adam", "betas[1]", betas[1], 0, 1 - 1e-12);
      requireRange("Adam", "eps", eps, 0, Infinity);
      requireRange("Adam", "weightDecay", weightDecay, 0, Infinity);
      return [lr, ...betas, 1 - betas[0], 1 - betas[1], eps, weightDecay, 0, 0];
    });
    super(
      groups.map((g, i) => ({ params: g.params, hyper: hyper[i] })),
      2,
    );
  }

  protected update(pack: Pack): void {
    kernels.adam(pack.state, pack.gradient, pack.weight, pack.moments[0], pack.moments[1], this.decoupled);
  }
}

/** Adam with decoupled weight decay (Loshchilov and Hutter 2019), 0.01 by default. */
export class AdamW extends Adam {
  protected override readonly decoupled = true;

  constructor(params: readonly Tensor[] | readonly ParamGroup<AdamOptions>[], options: AdamOptions = {}) {
    super(params, { weightDecay: 0.01, ...options });
  }
}

export interface SGDOptions {
  /** Default 1e-3. */
  readonly lr?: number;
  /** Default 0. */
  readonly momentum?: number;
  /** Default 0. */
  readonly dampening?: number;
  /** L2 penalty; default 0. */
  readonly weightDecay?: number;
  /** Needs momentum and no dampening; default false. */
  readonly nesterov?: boolean;
}

/** Stochastic gradient descent with momentum as PyTorch defines it. Throws `ConfigError` for values out of range. */
export class SGD extends Optimizer {
  private readonly nesterov: boolean;

  constructor(params: readonly Tensor[] | readonly ParamGroup<SGDOptions>[], options: SGDOptions = {}) {
    const groups = groupsOf(params);
    const { nesterov = false } = options;
    const hyper = groups.map((g) => {
      const { lr = 1e-3, momentum = 0, dampening = 0, weightDecay = 0 } = { ...options, ...g.options };
      requireRange("SGD", "lr", lr, 0, Infinity);
      requireRange("SGD", "momentum", momentum, 0, Infinity);
      requireRange("SGD", "weightDecay", weightDecay, 0, Infinity);
      if (nesterov && (momentum === 0 || dampening !== 0)) throw new ConfigError("SGD: nesterov needs a momentum and no dampening");
      return [lr, momentum, dampening, weightDecay, 0];
    });
    super(
      groups.map((g, i) => ({ params: g.params, hyper: hyper[i] })),
      1,
    );
    this.nesterov = nesterov;
  }

  protected update(pack: Pack): void {
    kernels.sgd(pack.state, pack.gradient, pack.weight, pack.moments[0], this.nesterov);
  }
}

function requireRange(op: string, name: string, value: number, low: number, high: number): void {
  if (!(value >= low && value <= high)) throw new ConfigError(`${op}: ${name} must be in [${low}, ${high}], got ${value}`);
}
