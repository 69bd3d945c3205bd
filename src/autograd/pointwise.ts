/**
 * @file Pointwise functions with gradients, named and defined as PyTorch's. Those of one tensor give its shape and type. Those of two broadcast as
 * NumPy does, f16 and f32 together give f32 (comparisons take one type), and shapes that do not broadcast are a `ShapeError`. All throw `DTypeError` for integers,
 * but for the condition of `where`.
 */

import { binary, type Comparison, type SmoothOp, unary, unaryGradient, unaryOps, where as choose } from "../kernels/pointwise.ts";
import { expectFloats } from "../kernels/lib/args.ts";
import { ConfigError } from "../host/errors.ts";
import { expectOptions } from "../host/options.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { combine, unbroadcast } from "./binary.ts";
import { float32 } from "./precision.ts";
import { type Backward, record, report } from "./tape.ts";
import { expectArguments } from "../host/kinds.ts";
import { expectKind } from "../tensor/kind.ts";

function apply(name: SmoothOp, x: Tensor, a?: number, b?: number): Tensor {
  expectArguments(name, "number?", { "the second argument": a, "the third argument": b });
  const y = unary(name, x, a, b);
  // Naming y in its own note is fine: both are garbage together.
  const backward: Backward = (dy) => [unaryGradient(name, unaryOps[name].saved === "x" ? x : y, dy, a, b)];
  return record(name, [x], y, backward, { a, b });
}

/** max(x, 0). Any shape, kept. */
export const relu = (x: Tensor): Tensor => apply("relu", x);
/** min(max(x, 0), 6). Any shape, kept. */
export const relu6 = (x: Tensor): Tensor => apply("relu6", x);
/** 1 / (1 + exp(-x)). Any shape, kept. */
export const sigmoid = (x: Tensor): Tensor => apply("sigmoid", x);
/** log(sigmoid(x)). Any shape, kept. */
export const logSigmoid = (x: Tensor): Tensor => apply("logSigmoid", x);
/** x where x ≥ 0, else slope · x; PyTorch's default slope 0.01. Any shape, kept. `negativeSlope` is the slope. */
export const leakyRelu = (x: Tensor, negativeSlope = 0.01): Tensor => apply("leakyRelu", x, negativeSlope);
/** x where x > 0, else alpha · (exp(x) − 1). Any shape, kept. */
export const elu = (x: Tensor, alpha = 1): Tensor => apply("elu", x, alpha);
/** ELU with the constants that keep mean 0 and variance 1 (Klambauer et al. 2017): 1.0507 · elu(x, 1.6733). Any shape, kept. */
export const selu = (x: Tensor): Tensor => apply("selu", x, 1.6732632423543772, 1.0507009873554805);
/** Options of `gelu`. */
export interface GeluOptions {
  /** "none" (default) is exact, "tanh" the approximation. */
  readonly approximate?: "none" | "tanh";
}

/**
 * x · Φ(x), Φ the distribution function of the standard normal (Hendrycks and Gimpel 2016); "tanh" is their approximation
 * x/2 · (1 + tanh(√(2/π) (x + 0.044715 x³))). Throws `ConfigError` for another name.
 * Any shape, kept.
 */
export function gelu(x: Tensor, options: GeluOptions = {}): Tensor {
  expectOptions("gelu", options, "approximate");
  const { approximate = "none" } = options;
  if (approximate !== "none" && approximate !== "tanh") {
    throw new ConfigError(`gelu: approximate must be "none" or "tanh", got ${JSON.stringify(approximate)}`);
  }
  return apply(approximate === "tanh" ? "geluTanh" : "gelu", x);
}
/** x · sigmoid(alpha · x), also called swish. Any shape, kept. */
export const silu = (x: Tensor, alpha = 1): Tensor => apply("silu", x, alpha);
/** x · tanh(softplus(x)) (Misra 2019). Any shape, kept. */
export const mish = (x: Tensor): Tensor => apply("mish", x);
/** Options of `softplus`. */
export interface SoftplusOptions {
  /** How fast it bends; default 1. */
  readonly beta?: number;
  /** Default 20. */
  readonly threshold?: number;
}

/** log(1 + exp(beta · x)) / beta; x itself where beta · x > threshold. Any shape, kept. */
export const softplus = (x: Tensor, options: SoftplusOptions = {}): Tensor => {
  expectOptions("softplus", options, "beta threshold");
  const { beta = 1, threshold = 20 } = options;
  return apply("softplus", x, beta, threshold);
};

/** x · min(max(x + 3, 0), 6) / 6 (Howard et al. 2019). Any shape, kept. */
export const hardswish = (x: Tensor): Tensor => apply("hardswish", x);
/** 2/√π ∫₀ˣ exp(−t²) dt. Any shape, kept. */
export const erf = (x: Tensor): Tensor => apply("erf", x);
/** (exp(x) − exp(−x)) / (exp(x) + exp(−x)), without overflow. Any shape, kept. */
export const tanh = (x: Tensor): Tensor => apply("tanh", x);
/** factor · x + offset. Any shape, kept. */
export function affine(x: Tensor, factor: number, offset = 0): Tensor {
  expectArguments("affine", "number", { factor });
  return apply("affine", x, factor, offset);
}

/** The same for an operation of another name, which its errors say. */
function scaled(op: string, a: Tensor, factor: number, offset = 0): Tensor {
  expectFloats(op, { a });
  return affine(a, factor, offset);
}

/** −x. Any shape, kept. */
export const neg = (x: Tensor): Tensor => scaled("neg", x, -1);
/** e to the power x. Any shape, kept. */
export const exp = (x: Tensor): Tensor => apply("exp", x);
/** The natural logarithm of positive x. Any shape, kept. */
export const log = (x: Tensor): Tensor => apply("log", x);
/** √x of x ≥ 0. Any shape, kept. */
export const sqrt = (x: Tensor): Tensor => apply("sqrt", x);
/** 1 / √x of positive x. Any shape, kept. */
export const rsqrt = (x: Tensor): Tensor => apply("rsqrt", x);
/** |x|; the gradient at 0 is 0. Any shape, kept. */
export const abs = (x: Tensor): Tensor => apply("abs", x);
/** x². Any shape, kept. */
export const square = (x: Tensor): Tensor => apply("square", x);
/** 1 / x. Any shape, kept. */
export const reciprocal = (x: Tensor): Tensor => apply("reciprocal", x);
/** x limited to [min, max]; all is `max` where `min` is larger, as in PyTorch. Any shape, kept. */
export function clamp(x: Tensor, min: number, max: number): Tensor {
  expectArguments("clamp", "number", { min, max });
  return apply("clamp", x, min, max);
}
/** −1, 0 or 1; the gradient is zero. Any shape, kept. */
export const sign = (x: Tensor): Tensor => apply("sign", x);
/** The largest whole number of at most x; the gradient is zero. Any shape, kept. */
export const floor = (x: Tensor): Tensor => apply("floor", x);
/** The nearest whole number, halves to the even one; the gradient is zero. Any shape, kept. */
export const round = (x: Tensor): Tensor => apply("round", x);
/** 1 where x is neither NaN nor infinite, else 0; no gradient. Throws `ShapeError`. Any shape, kept. */
export const isFinite = (x: Tensor): Tensor => report("isFinite", [x], unary("isFinite", x));

/** a + b with NumPy broadcasting. Throws `ShapeError`. */
export const add = (a: Tensor, b: Tensor | number): Tensor =>
  typeof b === "number" ? scaled("add", a, 1, b) : combine("add", a, b);
/** a − b with NumPy broadcasting. Throws `ShapeError`. */
export const sub = (a: Tensor, b: Tensor | number): Tensor =>
  typeof b === "number" ? scaled("sub", a, 1, -b) : combine("sub", a, b);
/** a · b with NumPy broadcasting. Throws `ShapeError`. */
export const mul = (a: Tensor, b: Tensor | number): Tensor =>
  typeof b === "number" ? scaled("mul", a, b) : combine("mul", a, b);
/** a / b with NumPy broadcasting. Throws `ShapeError`. */
export const div = (a: Tensor, b: Tensor | number): Tensor => combine("div", a, b);
/** The larger of a and b with NumPy broadcasting; where they are equal each gets half of the gradient. Throws `ShapeError`. */
export const maximum = (a: Tensor, b: Tensor | number): Tensor => combine("maximum", a, b);
/** The smaller of a and b with NumPy broadcasting; where they are equal each gets half of the gradient. Throws `ShapeError`. */
export const minimum = (a: Tensor, b: Tensor | number): Tensor => combine("minimum", a, b);
/**
 * a to the power b with NumPy broadcasting. A negative base needs whole exponents: others give NaN where the device has one. Whole exponents up to
 * 15 are exact to a few bits; others lose digits with b · log₂ a, as exp2 and log2 of WGSL do. Throws `ShapeError`.
 */
export const pow = (a: Tensor, b: Tensor | number): Tensor => combine("pow", a, b);

const compare =
  (name: Comparison) =>
  (a: Tensor, b: Tensor | number): Tensor =>
    report(name, [a, typeof b === "number" ? undefined : b], binary(name, a, b), { b });

/** 1 where a = b, else 0, with NumPy broadcasting; no gradient. Throws `ShapeError`. */
export const eq = /* @__PURE__ */ compare("eq");
/** 1 where a ≠ b, else 0, with NumPy broadcasting; no gradient. Throws `ShapeError`. */
export const ne = /* @__PURE__ */ compare("ne");
/** 1 where a < b, else 0, with NumPy broadcasting; no gradient. Throws `ShapeError`. */
export const lt = /* @__PURE__ */ compare("lt");
/** 1 where a ≤ b, else 0, with NumPy broadcasting; no gradient. Throws `ShapeError`. */
export const le = /* @__PURE__ */ compare("le");
/** 1 where a > b, else 0, with NumPy broadcasting; no gradient. Throws `ShapeError`. */
export const gt = /* @__PURE__ */ compare("gt");
/** 1 where a ≥ b, else 0, with NumPy broadcasting; no gradient. Throws `ShapeError`. */
export const ge = /* @__PURE__ */ compare("ge");

/**
 * `a` where `condition` (f32, i32 or u32) is not zero, else `b`, with NumPy broadcasting of all three over at most six axes. No gradient flows to
 * the condition. Throws `ShapeError`.
 */
export function where(condition: Tensor, a: Tensor | number, b: Tensor | number): Tensor {
  expectKind("where", { condition });
  [a, b] = Object.entries({ a, b }).map(([name, v]) => {
    if (typeof v === "number") return v;
    expectKind("where", { [name]: v });
    return float32(v);
  });
  const tensor = (v: Tensor | number) => (typeof v === "number" ? undefined : v);
  const [left, right] = [tensor(a), tensor(b)];
  const backward: Backward = (dy, needs) => {
    const part = (to: Tensor | undefined, chosen: Tensor | number, other: Tensor | number) => {
      if (!to) return undefined;
      const all = choose(condition, chosen, other);
      const sum = unbroadcast(all, to.shape);
      if (sum !== all) all.dispose();
      return sum;
    };
    return [part(needs[0] ? left : undefined, dy, 0), part(needs[1] ? right : undefined, 0, dy)];
  };
  return record("where", [left, right], choose(condition, a, b), backward, { condition, a, b });
}
