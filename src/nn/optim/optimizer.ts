/**
 * @file What optimizers share. Parameters are packed into flat buffers, so that a step is one dispatch for all of them and a checkpoint is a
 * few arrays; what changes per step (learning rate, bias corrections) lives on the device.
 */

import { expectArguments, expectItems, refused } from "../../host/kinds.ts";
import { grad } from "../../autograd/tape.ts";
import * as kernels from "../../kernels/optim/gradients.ts";
import { alignUp } from "../../tensor/buffers.ts";
import type { Device } from "../../tensor/device.ts";
import { CheckpointError, ConfigError, ShapeError } from "../../host/errors.ts";
import type { HostArray } from "../../host/array.ts";
import { expectOptions } from "../../host/options.ts";
import { sameShape, showShape } from "../../host/shape.ts";
import { keep } from "../../tensor/scope.ts";
import { expectTensorList } from "../../tensor/kind.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import type { GradScaler } from "./grad_scaler.ts";
import { Pack } from "./pack.ts";
import type { StateDict } from "../state_dict.ts";

/** Parameters that share hyper-parameters; those left out are the optimizer's. */
export interface ParamGroup<H> {
  /** The parameters, of any shape. */
  readonly params: readonly Tensor[];
  /** What is different for these. */
  readonly options?: Partial<H>;
}

/** Options of `Optimizer.step`, `Optimizer.minimize`. */
export interface StepOptions {
  /** Gradients are limited to ±this before anything else, as `torch.nn.utils.clip_grad_value_`. */
  readonly clipValue?: number;
  /**
   * All gradients are scaled by min(1, clipNorm / (norm + 1e-6)), where `norm` is the 2-norm over all of them, as
   * `torch.nn.utils.clip_grad_norm_`. `gradientNorm` then holds the norm; `Infinity` only measures it.
   */
  readonly clipNorm?: number;
  /** A scalar on the device: unless it is 0, this step changes neither weights nor moments, nor the scale of the `scaler`, which it needs. */
  readonly veto?: Tensor | undefined;
}

/**
 * What optimizers share. One packs its parameters into flat buffers when it is made: make it before any step is captured, and after the weights are
 * frozen. `step` takes gradients in the order of `parameters`; learning rate, counters and moments live on the device, so that a captured step
 * replays, and `stateDict` with the weights is all that a run needs to go on bit for bit.
 *
 * const adam = new Adam(model.parameters(), { lr: 1e-3 });
 * adam.minimize(loss, { clipNorm: 1 }); // adam.step(grad(loss, adam.parameters), { clipNorm: 1 })
 *
 * Constructors throw `ConfigError` without a parameter, for one given twice, for values out of range, and inside of `capture`. Parameters may have any
 * shape.
 */
export abstract class Optimizer {
  /** Where the parameters live. */
  readonly device: Device;
  /** Norm of all gradients before clipping, of the last step that was given `clipNorm`; a scalar on the device. */
  readonly gradientNorm: Tensor;
  /** If set, `step` takes gradients of a loss that this one scaled, and skips those that are not finite. */
  scaler: GradScaler | undefined;
  /** @internal */
  protected readonly packs: Pack[] = [];
  private readonly order: Tensor[] = [];

  /** @internal */
  protected constructor(
    groups: readonly {
      readonly params: readonly Tensor[];
      readonly hyper: readonly number[];
      /** Which moments are needed; the others are one word. A number is what a moment begins with in place of 0. */
      readonly moments: readonly (boolean | number)[];
    }[],
  ) {
    expectItems("an optimizer", "groups", groups, { params: "list", hyper: "numbers", moments: "list" });
    const first = groups[0]?.params[0];
    if (!first) throw new ConfigError("an optimizer needs at least one parameter");
    this.device = first.device;
    if (this.device.capturing) throw new ConfigError("create optimizers outside of capture()");
    const limit = Math.min(this.device.gpu.limits.maxBufferSize, this.device.maxBindingSize);
    this.gradientNorm = keep(this.device.tensor({ data: [0], shape: [] }));
    groups.forEach(({ params, hyper, moments }, group) => {
      let pack: Pack | undefined;
      for (const p of params) {
        if (this.order.includes(p))
          throw new ConfigError(`a parameter of shape ${showShape(p.shape)} was given to the optimizer twice`);
        this.order.push(p);
        if (!pack || pack.bytes + alignUp(p.bytes) > limit) this.packs.push((pack = new Pack(group)));
        pack.params.push(p);
        pack.offsets.push(pack.bytes);
        pack.bytes += alignUp(p.bytes);
      }
      for (const q of this.packs) if (!q.weight) q.build(this.device, hyper, moments);
    });
  }

  /**
   * Flat buffers of all parameters, which are views of them. Of a parameter that another optimizer was given later there is a copy here: `gather`
   * brings it up to date, `scatter` goes the other way. One axis each: `[elements]`.
   */
  get weights(): readonly Tensor[] {
    return this.packs.map((pack) => pack.weight);
  }

  /** Brings the flat buffers up to date with parameters that another optimizer holds now. */
  gather(): void {
    for (const pack of this.packs) pack.gather(this.device);
  }

  /** Writes the flat buffers to parameters that another optimizer holds now. */
  scatter(): void {
    for (const pack of this.packs) pack.scatter(this.device);
  }

  /** All parameters in the order of their groups: the order of the gradients that `step` takes. */
  get parameters(): readonly Tensor[] {
    return this.order;
  }

  /** Learning rate of the first group; setting it sets all groups. Throws `ConfigError` for what no rate can be: anything but a number of at least 0. */
  get lr(): number {
    return this.packs[0].rate;
  }

  set lr(value: number) {
    requireRange("optimizer", "lr", value, 0, Infinity);
    for (const pack of this.packs) this.setRate(pack, value);
  }

  /** Learning rate of each parameter group. Setting them throws as `lr`, and for another count. */
  get rates(): readonly number[] {
    const rates: number[] = [];
    for (const pack of this.packs) rates[pack.group] = pack.rate;
    return rates;
  }

  set rates(values: readonly number[]) {
    expectArguments("optimizer", "numbers", { rates: values });
    values.forEach((rate, group) => requireRange("optimizer", `rates[${group}]`, rate, 0, Infinity));
    this.setRates(values);
  }

  /** As `rates`, one per group, of a schedule, which one step behind its end may fall below 0 as in PyTorch. @internal */
  setRates(values: readonly number[]): void {
    values.forEach((rate, group) =>
      requireRange("a schedule", `rate of group ${group}`, rate, -Number.MAX_VALUE, Number.MAX_VALUE),
    );
    if (values.length !== this.rates.length)
      throw new ConfigError(`${values.length} learning rates for ${this.rates.length} parameter groups`);
    for (const pack of this.packs) this.setRate(pack, values[pack.group]);
  }

  private setRate(pack: Pack, rate: number): void {
    this.setState(pack, 0, rate);
    pack.rate = rate;
  }

  /** Writes one hyper-parameter, in order with the work recorded so far. */
  private setState(pack: Pack, word: number, value: number): void {
    this.expectOutside("a hyper-parameter is set");
    const { storage, byteOffset } = pack.state;
    storage.touch();
    this.device.eager.upload(storage.memory(), byteOffset + 4 * word, new Float32Array([value]));
  }

  /** Throws `ConfigError` while a step is traced, where what is done on the host would happen once and not in each call. */
  expectOutside(what: string): void {
    if (!this.device.capturing) return;
    throw new ConfigError(
      `${what} inside capture(), where it would happen once: move it behind the call of the captured step; it then counts from the next call on`,
    );
  }

  /** Writes hyper-parameters of all groups, as words of the state and their values. @internal */
  protected setStates(values: readonly (readonly [word: number, value: number])[]): void {
    for (const pack of this.packs) for (const [word, value] of values) this.setState(pack, word, value);
  }

  /**
   * Sets the momentum (Adam: the first beta) of all groups, for schedules that cycle it.
   * @param steps updates done so far: Adam's bias correction follows from it
   * @param value the new one, 0 to below 1
   */
  abstract setMomentum(value: number, steps: number): void;

  /**
   * Updates all parameters from their gradients, given in the order of the parameters.
   * @throws ShapeError if a gradient has another shape than its parameter; ConfigError for a limit that is not positive, or `veto` without a scaler
   */
  step(gradients: readonly Tensor[], options: StepOptions = {}): void {
    expectOptions("Optimizer.step", options, "clipValue clipNorm veto");
    expectTensorList("Optimizer.step", "gradients", gradients);
    const { veto } = options;
    if (veto && !this.scaler)
      throw new ConfigError(
        "step: veto needs a scaler; set optimizer.scaler, with initScale, growthFactor and backoffFactor 1 for none",
      );
    if (gradients.length !== this.order.length) {
      throw new ShapeError(
        `step: ${gradients.length} gradients for ${this.order.length} parameters; pass grad(loss, parameters) in the same order`,
      );
    }
    const of = new Map(this.order.map((p, i) => [p, gradients[i]]));
    for (const pack of this.packs) {
      pack.params.forEach((p, i) => {
        const g = of.get(p)!;
        if (!sameShape(g.shape, p.shape))
          throw new ShapeError(`step: gradient ${showShape(g.shape)} for a parameter of shape ${showShape(p.shape)}`);
        this.device.stream.copy(g, pack.gradient, pack.offsets[i]);
      });
    }
    // Not before all gradients are in place: a plan drops the copies as long as nobody looks at the buffers meanwhile.
    this.scaler?.unscale(
      this.packs.map((pack) => pack.gradient),
      veto,
    );
    this.clip(options);
    for (const pack of this.packs) {
      pack.gather(this.device);
      this.update(pack);
      pack.scatter(this.device);
    }
  }

  /**
   * One step down the gradient of `loss`, a tensor of one element: `step(grad(loss, this.parameters), options)`, so that there is no order to get wrong. A
   * `scaler` scales the loss first; mixed precision wants the call inside of `withPrecision`, as the forward pass. Throws as `grad` and `step` do.
   */
  minimize(loss: Tensor, options: StepOptions = {}): void {
    const { scaler } = this;
    const gradients = grad(scaler ? scaler.scale(loss) : loss, this.parameters);
    this.step(gradients, options);
    for (const g of gradients) g.dispose();
  }

  private clip({ clipValue, clipNorm }: StepOptions): void {
    if (clipValue !== undefined) requireRange("step", "clipValue", clipValue, Number.MIN_VALUE, Infinity);
    if (clipNorm !== undefined) {
      requireRange("step", "clipNorm", clipNorm, Number.MIN_VALUE, Infinity);
      kernels.gradientNorm(
        this.packs.map((pack) => pack.gradient),
        this.gradientNorm,
        clipValue,
      );
    }
    if (clipValue === undefined && (clipNorm ?? Infinity) === Infinity) return;
    for (const pack of this.packs) kernels.clip(pack.gradient, this.gradientNorm, clipValue, clipNorm);
  }

  /** @internal */
  protected abstract update(pack: Pack): void;

  /** Hyper-parameters, counters and moments, enough to go on bit for bit. */
  async stateDict(): Promise<StateDict> {
    const entries = this.targets().map(async ([name, t]) => [name, { data: await t.data(), shape: t.shape }] as const);
    return new Map(await Promise.all(entries));
  }

  /** Throws `CheckpointError` if the state is of another optimizer or other parameters. */
  checkStateDict(state: ReadonlyMap<string, HostArray>): void {
    const targets = this.targets();
    for (const [name, t] of targets) {
      const given = state.get(name);
      if (!given || !sameShape(given.shape, t.shape)) {
        throw new CheckpointError(
          `optimizer state ${name}: expected ${showShape(t.shape)}, got ${given ? showShape(given.shape) : "nothing"}; is it of the same model and optimizer?`,
        );
      }
    }
    if (state.size !== targets.length)
      throw new CheckpointError(`optimizer state: ${state.size} arrays given, ${targets.length} expected`);
  }

  /** Restores what `stateDict` gave. Throws `CheckpointError` if it does not fit; then nothing is written. */
  loadStateDict(state: ReadonlyMap<string, HostArray>): void {
    this.checkStateDict(state);
    for (const [name, t] of this.targets()) this.device.write(t, state.get(name)!);
    this.packs.forEach((pack, k) => (pack.rate = state.get(`${k}.0`)!.data[0]));
  }

  private targets(): (readonly [string, Tensor])[] {
    const scaler = this.scaler ? [["scaler", this.scaler.state] as const] : [];
    return [
      ...this.packs.flatMap((pack, k) => [pack.state, ...pack.moments].map((t, i) => [`${k}.${i}`, t] as const)),
      ...scaler,
    ];
  }

  /** Frees gradients and moments; the parameters stay. */
  dispose(): void {
    this.gradientNorm.dispose();
    for (const pack of this.packs) for (const t of [pack.weight, pack.gradient, pack.state, ...pack.moments]) t.dispose();
  }
}

export function requireRange(op: string, name: string, value: number, low: number, high: number): void {
  if (typeof value !== "number") refused(op, name, "a number", value);
  if (!(value >= low && value <= high)) throw new ConfigError(`${op}: ${name} must be in [${low}, ${high}], got ${value}`);
}

/** Throws `ConfigError` for what is no optimizer. */
export function expectOptimizer(op: string, optimizer: unknown): void {
  if (!(optimizer instanceof Optimizer)) refused(op, "optimizer", "an optimizer", optimizer);
}
