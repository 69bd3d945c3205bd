/** @file Gradients of any function against differences of its own values. */

import { expectKinds } from "../host/kinds.ts";
import { backpropagate, noGrad } from "../autograd/tape.ts";
import { ConfigError, MismatchError } from "../host/errors.ts";
import { expectOptions } from "../host/options.ts";
import { expectTensors } from "../kernels/lib/args.ts";
import { scope } from "../tensor/scope.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { normal, type Random, seeded } from "./row.ts";

/** Options of `gradCheck`. */
export interface GradCheckOptions {
  /** Random directions for each input; default 3. */
  readonly directions?: number;
  /** How far inputs are moved, as a share of their root mean square (1 for zeros); default 1/64. Smaller near kinks, where it must not step over one. */
  readonly step?: number;
  /** Allowed error of a directional derivative as a share of the norm of the gradient; default 1e-3. */
  readonly tolerance?: number;
  /** Whole number that the directions follow from; default 0. */
  readonly seed?: number;
}

/** One directional derivative of Σ w · fn(inputs), w random. */
export interface CheckedSlope {
  /** Position of the input. */
  readonly input: number;
  /** By the gradient. */
  readonly actual: number;
  /** By differences. */
  readonly expected: number;
  /** Largest difference of the two that passes. */
  readonly allowed: number;
}

// Rounding to f32, a few times over.
const rounding = 16 * 2 ** -24;

const dot = (a: ArrayLike<number>, b: ArrayLike<number>): number => {
  let total = 0;
  for (let i = 0; i < a.length; i++) total += a[i] * b[i];
  return total;
};

/**
 * Checks the gradients of `fn` with respect to all its f32 inputs that lead to its result, along random directions: central differences of its own values with two
 * step sizes (Richardson), added up in float64. Works for any function of tensors with a gradient, such as an operation of `defineOp`, a loss or a
 * whole layer; it must give the same for the same inputs. Gives what was compared.
 *
 *     await gradCheck((x, w) => conv(x, w, undefined, { padding: 1 }), [x, w]);
 *
 * @param fn function of the tensors, with a result of any shape
 * @param inputs tensors of one device; those of f32 are differentiated
 * @throws MismatchError naming the input whose gradient is wrong; ConfigError without an f32 input
 */
export async function gradCheck(
  fn: (...inputs: Tensor[]) => Tensor,
  inputs: readonly Tensor[],
  options: GradCheckOptions = {},
): Promise<readonly CheckedSlope[]> {
  expectOptions("gradCheck", options, "directions step tolerance seed");
  expectKinds("gradCheck", { function: { fn }, list: { inputs } });
  const { directions = 3, step = 1 / 64, tolerance = 1e-3, seed = 0 } = options;
  inputs.forEach((t, i) => expectTensors("gradCheck", { [`input ${i}`]: t }, t?.dtype));
  const wanted = inputs.flatMap((t, i) => (t.dtype === "f32" ? [i] : []));
  if (wanted.length === 0) throw new ConfigError("gradCheck: none of the inputs is f32");
  const random = seeded(`gradCheck ${seed}`);
  const points = await Promise.all(wanted.map(async (i) => (await inputs[i].data()) as Float32Array<ArrayBuffer>));
  const { weights, gradients } = await byGradient(fn, inputs, wanted, random);
  const slopes: CheckedSlope[] = [];
  for (const [k, input] of wanted.entries()) {
    const x = points[k];
    const h = step * (Math.sqrt(dot(x, x) / x.length) || 1);
    for (let d = 0; d < directions; d++) {
      const v = Float64Array.from(x, () => normal(random, 0));
      const at = (by: number) => valueAt(fn, inputs, input, moved(x, v, by));
      const far = await difference(at, weights, x, gradients[k], v, h);
      const near = await difference(at, weights, x, gradients[k], v, h / 2);
      // The error of central differences falls with the square of the step.
      const error = (4 * near.error - far.error) / 3;
      const actual = dot(gradients[k], v);
      const allowed = tolerance * Math.sqrt(dot(gradients[k], gradients[k])) + near.noise;
      slopes.push({ input, actual, expected: actual + error, allowed });
      if (Math.abs(error) <= allowed) continue;
      throw new MismatchError(
        `gradCheck: input ${input} along direction ${d}: the gradient says ${actual.toPrecision(7)}, differences say ${(actual + error).toPrecision(7)}; ` +
          `allowed is an error of ${allowed.toExponential(2)}. If the function has kinks, take a smaller \`step\``,
      );
    }
  }
  return slopes;
}

const moved = (x: Float32Array, v: Float64Array, by: number): Float32Array<ArrayBuffer> => x.map((value, i) => value + by * v[i]);

// Differences of the function minus those that the gradient predicts for the same, rounded, points.
async function difference(
  at: (by: number) => Promise<Float32Array>,
  weights: Float32Array,
  x: Float32Array,
  gradient: Float32Array,
  v: Float64Array,
  h: number,
): Promise<{ error: number; noise: number }> {
  const up = await at(h);
  const down = await at(-h);
  let found = 0;
  let square = 0;
  for (let i = 0; i < up.length; i++) {
    found += weights[i] * (up[i] - down[i]);
    square += (weights[i] * up[i]) ** 2;
  }
  const [above, below] = [moved(x, v, h), moved(x, v, -h)];
  let predicted = 0;
  for (let i = 0; i < x.length; i++) predicted += gradient[i] * (above[i] - below[i]);
  return { error: (found - predicted) / (2 * h), noise: (rounding * Math.sqrt(square)) / h };
}

async function valueAt(
  fn: (...inputs: Tensor[]) => Tensor,
  inputs: readonly Tensor[],
  input: number,
  data: Float32Array<ArrayBuffer>,
): Promise<Float32Array> {
  const y = noGrad(() =>
    scope(() => {
      const given = inputs.map((t, i) => (i === input ? t.device.tensor({ data, shape: t.shape }) : t));
      return fn(...given);
    }),
  );
  const values = (await y.data()) as Float32Array;
  if (!inputs.includes(y)) y.dispose();
  return values;
}

// Weights of the results, and the gradients of their weighted sum; zeros for an input that leads nowhere.
async function byGradient(
  fn: (...inputs: Tensor[]) => Tensor,
  inputs: readonly Tensor[],
  wanted: readonly number[],
  random: Random,
): Promise<{ weights: Float32Array; gradients: Float32Array[] }> {
  let weights = new Float32Array(0);
  const found = scope(() => {
    // Of their own, so that nothing of the caller's is marked or leads on.
    const own = inputs.map((t) => t.view(t.shape));
    for (const i of wanted) own[i].requiresGrad = true;
    const y = fn(...own);
    weights = Float32Array.from({ length: y.size }, () => normal(random, 0));
    const seed = y.device.tensor({ data: weights, shape: y.shape });
    return noGrad(() =>
      backpropagate(
        y,
        seed,
        wanted.map((i) => own[i]),
      ),
    );
  });
  const gradients = await Promise.all(
    wanted.map(async (i, k) => ((await found[k]?.data()) as Float32Array | undefined) ?? new Float32Array(inputs[i].size)),
  );
  for (const g of found) g?.dispose();
  return { weights, gradients };
}
