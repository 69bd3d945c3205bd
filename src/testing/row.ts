/** @file A row of the op table: an operation with samples of its inputs, a float64 reference and error inputs. */

import { expectWord } from "../host/words.ts";
import { expectArguments, expectFields, expectKinds } from "../host/kinds.ts";
import { type DType, sizeOf } from "../host/array.ts";
import type { Shape } from "../host/shape.ts";
import type { Device } from "../tensor/device.ts";
import type { Tensor } from "../tensor/tensor.ts";

/** A float64 array: what references take and give. */
export interface Host {
  /** Length of each axis. */
  readonly shape: Shape;
  /** The elements, as many as `shape` says. */
  readonly data: Float64Array;
}

/** Uniform numbers in [0, 1). */
export type Random = () => number;

/** Element `index` of an input. */
export type Values = (random: Random, index: number) => number;

/** An input that is made of random numbers. */
export interface InputSpec {
  /** Length of each axis. */
  readonly shape: Shape;
  /** Default: normal. */
  readonly values?: Values;
  /** Default f32. Only f32 inputs are differentiated. */
  readonly dtype?: DType;
}

/** Allowed error: `forward` and `gradient` times the larger of the reference's largest magnitude and `floor`. */
export interface Tolerance {
  /** Of the result. */
  readonly forward: number;
  /** Of gradients. */
  readonly gradient: number;
  /** Scale below which errors are absolute: for gradients that cancel to almost nothing. Default 0. */
  readonly floor: number;
}

/** Arrays of float64 by the names of inputs. */
export type Hosts = Readonly<Record<string, Host>>;
/** Shapes by the names of inputs. */
export type Shapes = Readonly<Record<string, Shape>>;
/** Tensors by the names of inputs. */
export type Tensors = Readonly<Record<string, Tensor>>;

/** One case of a row: inputs and arguments. */
export interface Sample<A> {
  /** `<op>/<case>`: the name of the test, and the seed of its inputs. */
  readonly id: string;
  /** Tensors by name, made of random numbers. */
  readonly inputs: Readonly<Record<string, InputSpec>>;
  /** What the operation is called with behind the tensors. */
  readonly args: A;
  /** Allowed error where it differs from the row's. */
  readonly tolerance?: Partial<Tolerance>;
  /** Gradients by name where finite differences do not apply: at kinks, where PyTorch's choice is the reference. Each has the shape of its input. */
  readonly gradients?: (inputs: Hosts, dy: Host) => Readonly<Record<string, Float64Array>>;
}

/** A call that must fail, and how. */
export interface ErrorInput {
  /** `<op>/<case>`: the name of the test. */
  readonly id: string;
  /** Must throw; `shaped` makes a tensor of zeros. Any shape. */
  readonly call: (shaped: (shape: Shape, dtype?: DType) => Tensor, device: Device) => unknown;
  /** Class of the error. */
  readonly error: new (message: string) => Error;
  /** What its message must match. */
  readonly message: RegExp;
}

/** What `rowTests` makes tests of. `A` is the record of arguments of the operation. */
export interface OpRow<A> {
  /** Of the operation, for the titles of tests. */
  readonly name: string;
  /** Cases that are tested: forward, gradients, captured and replayed. */
  readonly samples: readonly Sample<A>[];
  /** The operation itself, given tensors by name and the sample's `args`; any shape. */
  readonly run: (tensors: Tensors, args: A, device: Device) => Tensor;
  /** Naive float64 computation, written from the definition and not from the kernel. `args` are the sample's. */
  readonly reference: (inputs: Hosts, args: A) => Host;
  /** Inputs that have a gradient. */
  readonly differentiable: readonly string[];
  /** Calls that must fail; default none. */
  readonly errors?: readonly ErrorInput[];
  /**
   * Floating-point operations of the forward pass: whether gradients can be checked element by element. Default: those of a pointwise function. `args` are
   * the sample's.
   */
  readonly flops?: (shapes: Shapes, args: A) => number;
  /** Allowed error of all samples; defaults as in `Tolerance`. */
  readonly tolerance?: Partial<Tolerance>;
}

/** f32 arithmetic gives 1e-6 or better; WGSL allows functions a few more bits. Rows and samples override. */
export const defaultTolerance: Tolerance = { forward: 2e-6, gradient: 5e-6, floor: 0 };

/**
 * A float64 array of a shape, by default of zeros.
 * @param data the elements, as many as `shape` says
 */
export const host = (shape: Shape, data: Float64Array = new Float64Array(sizeOf(shape))): Host => ({ shape, data });

/** sfc32 seeded by a text, so that a sample has the same inputs alone and among others. */
export function seeded(text: string): Random {
  expectArguments("seeded", "text", { text });
  let a = 0x9e3779b9;
  let b = 0x243f6a88;
  let c = 0xb7e15162;
  let counter = 1;
  const next = (): number => {
    const t = (((a + b) | 0) + counter++) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = ((c << 21) | (c >>> 11)) + t;
    return (t >>> 0) / 2 ** 32;
  };
  for (const letter of text) {
    a ^= letter.codePointAt(0)!;
    next();
  }
  for (let i = 0; i < 12; i++) next();
  return next;
}

/** Box and Muller. */
export const normal: Values = (random) => {
  if (typeof random !== "function") expectArguments("normal", "function", { random });
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
};
/** [0, 1): sums of these do not cancel. */
export const uniform: Values = (random) => {
  if (typeof random !== "function") expectArguments("uniform", "function", { random });
  return random();
};
/** Magnitudes of at least `gap`, so that finite differences do not step over a kink at 0. */
export const awayFromZero =
  (gap = 0.05): Values =>
  (random, i) => {
    const v = normal(random, i);
    return v + (v < 0 ? -gap : gap);
  };
/** Uniform numbers in [low, high). */
export const between =
  (low: number, high: number): Values =>
  (random) =>
    low + (high - low) * random();
/** Whole numbers 0 … count − 1. */
export const index =
  (count: number): Values =>
  (random) =>
    Math.floor(random() * count);
/** These values over and over. `list` has them. */
export const cycle =
  (...list: number[]): Values =>
  (_, i) =>
    list[i % list.length];

/** Host values of one input, exactly representable on the device. */
export function generate(spec: InputSpec, random: Random): Host {
  expectFields("generate", "spec", spec, { shape: "numbers", values: "function?" });
  expectArguments("generate", "function", { random });
  expectWord("generate", "dtype", spec.dtype ?? "f32", ["f32", "i32", "u32"]);
  const values = spec.values ?? normal;
  const data = Float64Array.from({ length: sizeOf(spec.shape) }, (_, i) => Math.fround(values(random, i)));
  return { shape: spec.shape, data };
}

/** Calls `visit` with every index of a shape, last axis fastest. The array is reused. `flat` is its row-major position. */
export function everyIndex(shape: Shape, visit: (index: readonly number[], flat: number) => void): void {
  expectKinds("everyIndex", { numbers: { shape }, function: { visit } });
  const at = shape.map(() => 0);
  const count = sizeOf(shape);
  for (let flat = 0; flat < count; flat++) {
    visit(at, flat);
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      if (++at[axis] < shape[axis]) break;
      at[axis] = 0;
    }
  }
}

/** Row-major position of an index. `at` is the index. */
export const flatten = (shape: Shape, at: readonly number[]): number => {
  if (!Array.isArray(at) || !Array.isArray(shape)) expectArguments("flatten", "numbers", { shape, at });
  return at.reduce((flat, i, axis) => flat * shape[axis] + i, 0);
};

/** y[at] = x[from(at)] for every index of `shape`. */
export function mapped(x: Host, shape: Shape, from: (at: readonly number[]) => readonly number[]): Host {
  expectKinds("mapped", { array: { x }, numbers: { shape }, function: { from } });
  const y = host(shape);
  everyIndex(shape, (at, flat) => (y.data[flat] = x.data[flatten(x.shape, from(at))]));
  return y;
}
