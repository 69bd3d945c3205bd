/**
 * @file Module: layers that hold parameters. Names in a state dict are the property names on the way to a tensor, so a network whose
 * properties are named as in the reference implementation reads and writes its weights without a mapping table.
 */

import { CheckpointError, ShapeError } from "../tensor/errors.ts";
import type { HostArray } from "../tensor/host.ts";
import { sameShape, showShape } from "../tensor/shape.ts";
import { Tensor } from "../tensor/tensor.ts";

/** Host copies of all parameters and buffers by name, in registration order. */
export type StateDict = Map<string, HostArray>;

export interface LoadReport {
  /** Names the model has and the file lacks. */
  readonly missing: readonly string[];
  /** Names the file has and the model lacks. */
  readonly unexpected: readonly string[];
}

export abstract class Module {
  /** Whether layers that differ in training (batch norm, dropout) behave so; set by `train` and `eval`. */
  training = true;

  abstract forward(x: Tensor): Tensor;

  /** Submodules by name, in registration order. */
  *children(): Iterable<readonly [string, Module]> {
    for (const [name, value] of Object.entries(this)) if (value instanceof Module) yield [name, value];
  }

  /** Tensors by dotted name, parents before children: PyTorch's order. */
  *namedTensors(prefix = ""): Iterable<readonly [string, Tensor]> {
    for (const [name, value] of Object.entries(this)) if (value instanceof Tensor) yield [prefix + name, value];
    for (const [name, child] of this.children()) yield* child.namedTensors(`${prefix}${name}.`);
  }

  /** Trainable tensors by name. */
  namedParameters(): [string, Tensor][] {
    return [...this.namedTensors()].filter(([, t]) => t.requiresGrad) as [string, Tensor][];
  }

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
   * @throws CheckpointError listing missing, unexpected and mis-shaped names; with `strict: false` only mis-shaped ones
   */
  loadStateDict(state: ReadonlyMap<string, HostArray>, { strict = true } = {}): LoadReport {
    const own = new Map(this.namedTensors());
    const missing = [...own.keys()].filter((name) => !state.has(name));
    const unexpected = [...state.keys()].filter((name) => !own.has(name));
    const misshaped = [...own].flatMap(([name, t]) => {
      const given = state.get(name);
      return given && !sameShape(given.shape, t.shape)
        ? [`${name}: model ${showShape(t.shape)}, file ${showShape(given.shape)}`]
        : [];
    });
    const problems = [
      ...(strict && missing.length > 0 ? [`missing: ${missing.join(", ")}`] : []),
      ...(strict && unexpected.length > 0 ? [`unexpected: ${unexpected.join(", ")}`] : []),
      ...(misshaped.length > 0 ? [`other shapes: ${misshaped.join("; ")}`] : []),
    ];
    if (problems.length > 0) throw new CheckpointError(`the weights do not fit this model: ${problems.join(". ")}`);
    for (const [name, t] of own) {
      const given = state.get(name);
      if (given) t.device.write(t, given);
    }
    return { missing, unexpected };
  }

  /** Frees all parameters and buffers. */
  dispose(): void {
    for (const [, t] of this.namedTensors()) t.dispose();
  }
}

/** Modules one after the other, named by position or by the keys of a record. */
export class Sequential extends Module {
  private readonly layers: readonly (readonly [string, Module])[];

  constructor(layers: readonly Module[] | Readonly<Record<string, Module>>) {
    super();
    this.layers = Array.isArray(layers) ? layers.map((m: Module, i) => [String(i), m] as const) : Object.entries(layers);
  }

  override *children(): Iterable<readonly [string, Module]> {
    yield* this.layers;
  }

  forward(x: Tensor): Tensor {
    return this.layers.reduce((v, [, layer]) => layer.forward(v), x);
  }
}

/** Returns its input. */
export class Identity extends Module {
  forward(x: Tensor): Tensor {
    return x;
  }
}

/** Throws `ShapeError` unless `x` is `[N, channels, …]` with the number of spatial axes a layer was made for. */
export function expectImage(op: string, x: Tensor, spatialDims: number, channels: number): void {
  if (x.rank !== spatialDims + 2 || x.shape[1] !== channels) {
    throw new ShapeError(
      `${op}: expected [N, ${channels}${", size".repeat(spatialDims)}] (${spatialDims} spatial axes, ${channels} channels), got ${showShape(x.shape)}`,
    );
  }
}
