/**
 * @file Module: layers that hold parameters. Names in a state dict are the property names on the way to a tensor, so a network whose
 * properties are named as in the reference implementation reads and writes its weights without a mapping table.
 */

import { add } from "../autograd/pointwise.ts";
import { expectInstance, refused } from "../host/kinds.ts";
import { ConfigError, ShapeError } from "../host/errors.ts";
import type { HostArray } from "../host/array.ts";
import { expectOptions } from "../host/options.ts";
import { showShape } from "../host/shape.ts";
import { expectKind } from "../tensor/kind.ts";
import { look, modeSet } from "../tensor/modes.ts";
import { Tensor } from "../tensor/tensor.ts";
import type { StateDict } from "./state_dict.ts";
import { type LoadOptions, type LoadReport, loadTensors } from "./load_state.ts";
import { type NameFilter, nameMatcher } from "./names.ts";

// Parameters that `freeze` took the gradient from: buffers never had one.
const frozen = new WeakSet<Tensor>();

/**
 * A layer or a network: what has parameters, and `forward` from tensors to a tensor. A subclass assigns its tensors and submodules to properties in
 * the order in which the reference implementation registers them; their names on the way to a tensor, joined by dots, are its name in
 * the state dict (`conv.weight`). Weights are drawn when a module is made, from the generator that `manualSeed` seeds.
 *
 *     class Block extends Module {
 *       readonly conv: Conv;
 *       constructor(device: Device) {
 *         super();
 *         this.conv = new Conv(device, { spatialDims: 2, inChannels: 1, outChannels: 4, kernelSize: 3, padding: 1 });
 *       }
 *       forward(x: Tensor): Tensor {
 *         return relu(this.conv.forward(x));
 *       }
 *     }
 */
export abstract class Module {
  private mode = true;

  /** Whether layers that differ in training (batch norm, dropout) behave so; set by `train` and `eval`. Captured steps follow it. */
  get training(): boolean {
    return look(this, Module.trains);
  }

  set training(on: boolean) {
    const differs = on !== this.mode;
    this.mode = on;
    modeSet(this, differs);
  }

  /** The mode, without a trace that notes it. @internal */
  static readonly trains = (m: Module): boolean => m.mode;

  /** The output for these inputs. A layer throws `ShapeError` for shapes that it was not made for. */
  abstract forward(...inputs: Tensor[]): Tensor;

  /** Whether `forward` hands on its input as it is, in the mode it is in. @internal */
  get idle(): boolean {
    return false;
  }

  /** What `next` makes of this module's result, plus a residual, in one pass over memory; undefined where they have none. @internal */
  forwardWith(_x: Tensor, _next: Module, _residual?: Tensor): Tensor | undefined {
    return undefined;
  }

  /** The output plus a tensor of its shape, and what `next` makes of that, in one pass over memory where there is one. @internal */
  forwardPlus(x: Tensor, residual: Tensor, next?: Module): Tensor {
    const sum = add(this.forward(x), residual);
    return next ? next.forward(sum) : sum;
  }

  /** Submodules by name, in registration order. */
  *children(): Iterable<readonly [string, Module]> {
    for (const [name, value] of Object.entries(this)) if (value instanceof Module) yield [name, value];
  }

  /** This module and all below it by dotted name, parents first, itself under "". A module reached on two ways comes under both names. */
  *namedModules(name = ""): Iterable<readonly [string, Module]> {
    yield [name, this];
    for (const [key, child] of this.children()) yield* child.namedModules(name === "" ? key : `${name}.${key}`);
  }

  /** This module and all below it, each once, parents first. */
  modules(): ReadonlySet<Module> {
    return new Set(Array.from(this.namedModules(), ([, module]) => module));
  }

  /**
   * Tensors by dotted name, parents before children: PyTorch's order. A module reached on two ways gives its tensors under both names. Any shape. Names
   * begin with `prefix`, by default none.
   */
  *namedTensors(prefix = ""): Iterable<readonly [string, Tensor]> {
    for (const [name, value] of Object.entries(this)) if (value instanceof Tensor) yield [prefix + name, value];
    for (const [name, child] of this.children()) yield* child.namedTensors(`${prefix}${name}.`);
  }

  /** Trainable tensors, each once, under its first name. Any shape. */
  namedParameters(): [string, Tensor][] {
    const seen = new Set<Tensor>();
    return [...this.namedTensors()].filter(([, t]) => t.requiresGrad && !seen.has(t) && seen.add(t)) as [string, Tensor][];
  }

  /** Trainable tensors, each once: what an optimizer takes and `grad` is asked for. Any shape. */
  parameters(): Tensor[] {
    return this.namedParameters().map(([, t]) => t);
  }

  /** Number of trainable values. */
  get parameterCount(): number {
    return this.parameters().reduce((n, t) => n + t.size, 0);
  }

  /** Sets the mode of this module and all below it. */
  train(mode = true): this {
    this.training = mode;
    for (const [, child] of this.children()) child.train(mode);
    return this;
  }

  /** The mode for inference: `train(false)`. */
  eval(): this {
    return this.train(false);
  }

  /** Reads all parameters and buffers back. */
  async stateDict(): Promise<StateDict> {
    const entries = [...this.namedTensors()].map(async ([name, t]) => [name, { data: await t.data(), shape: t.shape }] as const);
    return new Map(await Promise.all(entries));
  }

  /**
   * Writes values into the parameters and buffers. All names and shapes are checked before anything is written.
   * @param options by default everything must fit; see `LoadOptions` for loading a part
   * @returns what was loaded and what was not; `describeLoad` makes it readable
   * @throws CheckpointError listing missing, unexpected and mis-shaped names; with `strict: false` only mis-shaped ones, unless `skipMisshaped`
   */
  loadStateDict(state: ReadonlyMap<string, HostArray>, options: LoadOptions = {}): LoadReport {
    expectOptions("Module.loadStateDict", options, "strict skipMisshaped select rename");
    return loadTensors(this.namedTensors(), state, options);
  }

  /**
   * Keeps parameters from being trained: they get no gradient and are not in `parameters()`. To be called before the optimizer is made. As in
   * PyTorch, a frozen batch norm still follows the data with its running statistics unless it is in evaluation mode.
   * @returns the names of the parameters that are now frozen and were not
   * @throws ConfigError for a name or an expression that matches none
   */
  freeze(filter: NameFilter = () => true): string[] {
    return this.setTrainable(filter, (t) => t.requiresGrad, false);
  }

  /** Undoes `freeze` for the parameters that match; returns their names. */
  unfreeze(filter: NameFilter = () => true): string[] {
    return this.setTrainable(filter, (t) => frozen.has(t), true);
  }

  private setTrainable(filter: NameFilter, concerns: (t: Tensor) => boolean, trainable: boolean): string[] {
    const matches = nameMatcher(filter);
    const named = [...this.namedTensors()].filter(([name]) => matches(name));
    // A function may well select nothing; a name that is nobody's is mistyped.
    if (named.length === 0 && typeof filter !== "function") {
      const known = Array.from(this.namedTensors(), ([name]) => name).slice(0, 3);
      throw new ConfigError(`no parameter's name matches ${String(filter)}; names look like ${known.join(", ")}`);
    }
    const found = named.filter(([, t]) => concerns(t));
    for (const [, t] of found) {
      t.requiresGrad = trainable;
      if (trainable) frozen.delete(t);
      else frozen.add(t);
    }
    return found.map(([name]) => name);
  }

  /** Frees all parameters and buffers. */
  dispose(): void {
    for (const [, t] of this.namedTensors()) t.dispose();
  }
}

/** `x` through modules one after the other; neighbors that have a pass for both, such as a norm and its activation, as one. */
export const inSequence = (x: Tensor, ...modules: readonly Module[]): Tensor => through(x, modules);

/** The same plus a tensor of the result's shape, and what `next` makes of that. */
export const inSequencePlus = (x: Tensor, modules: readonly Module[], residual: Tensor, next?: Module): Tensor =>
  through(x, modules, { residual, next: next?.idle ? undefined : next });

/** Whether somebody put another `forward` in its place, whose results are wanted. */
const patched = (m: Module): boolean => Object.hasOwn(m, "forward");

/** Whether a module's `forward` is that of `type`, whose work may then be done in another way: neither it nor its class has put another in its place. */
export const forwardsAs = (m: Module, type: { readonly prototype: Module }): boolean => m.forward === type.prototype.forward;

function through(x: Tensor, modules: readonly Module[], plus?: { residual: Tensor; next: Module | undefined }): Tensor {
  const active = modules.filter((m) => !m.idle);
  if (modules.some(patched) || active.length === 0) {
    const y = modules.reduce((v, m) => m.forward(v), x);
    if (!plus) return y;
    const sum = add(y, plus.residual);
    return plus.next ? plus.next.forward(sum) : sum;
  }
  let y = x;
  for (let i = 0; i < active.length;) {
    const left = active.length - i;
    const both =
      left > 1 && (left > 2 || !plus?.next)
        ? active[i].forwardWith(y, active[i + 1], left === 2 ? plus?.residual : undefined)
        : undefined;
    if (both) y = both;
    else y = left === 1 && plus ? active[i].forwardPlus(y, plus.residual, plus.next) : active[i].forward(y);
    i += both ? 2 : 1;
  }
  return y;
}

/** Modules one after the other, named by position or by the keys of a record or map; a record cannot keep the order of names like "10". */
export class Sequential extends Module {
  private readonly layers: readonly (readonly [string, Module])[];

  constructor(layers: readonly Module[] | Readonly<Record<string, Module>> | ReadonlyMap<string, Module>) {
    super();
    if (typeof layers !== "object" || layers === null)
      refused("Sequential", "layers", "a list, a record or a Map of modules", layers);
    if (layers instanceof Map) this.layers = [...(layers as ReadonlyMap<string, Module>)];
    else this.layers = Array.isArray(layers) ? layers.map((m: Module, i) => [String(i), m] as const) : Object.entries(layers);
    for (const [name, layer] of this.layers) expectModule("Sequential", { [`layers.${name}`]: layer });
  }

  override *children(): Iterable<readonly [string, Module]> {
    yield* this.layers;
  }

  forward(x: Tensor): Tensor {
    return inSequence(x, ...this.layers.map(([, layer]) => layer));
  }

  /** @internal */
  override forwardPlus(x: Tensor, residual: Tensor, next?: Module): Tensor {
    if (!forwardsAs(this, Sequential)) return super.forwardPlus(x, residual, next);
    const layers = this.layers.map(([, layer]) => layer);
    return inSequencePlus(x, layers, residual, next);
  }
}

/** Returns its input. */
export class Identity extends Module {
  /** @internal */
  override get idle(): boolean {
    return true;
  }

  forward(x: Tensor): Tensor {
    return x;
  }
}

/** Throws `ShapeError` unless `x` is `[N, channels, …]` with the number of spatial axes a layer was made for. */
export function expectImage(op: string, x: Tensor, spatialDims: number, channels: number): void {
  expectKind(op, { input: x });
  if (x.rank !== spatialDims + 2 || x.shape[1] !== channels) {
    throw new ShapeError(
      `${op}: expected [N, ${channels}${", size".repeat(spatialDims)}] (${spatialDims} spatial axes, ${channels} channels), got ${showShape(x.shape)}`,
    );
  }
}

/** Throws `ConfigError` unless all that is given are modules. */
export function expectModule(op: string, values: Readonly<Record<string, unknown>>): void {
  expectInstance(op, Module, "a module, such as a network or a layer", values);
}
