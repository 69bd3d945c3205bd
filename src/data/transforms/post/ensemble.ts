/** @file One prediction of several: `MeanEnsemble` of probabilities, `VoteEnsemble` of labels or masks. */
import { expectArguments, isHostArray } from "../../../host/kinds.ts";
import { sizeOf, type HostArray, type TypedArray } from "../../../host/array.ts";
import { ConfigError, DataError, DTypeError, ShapeError } from "../../../host/errors.ts";
import { nativeOf } from "../../../host/elements.ts";
import { roundHalfEven } from "../../../host/rounding.ts";
import { sameShape, showShape } from "../../../host/shape.ts";
import { emptyLike } from "../../../host/strided.ts";
import { allOptions } from "../options.ts";

/** Predictions of several models: a list, or one array with an axis for the models in front. */
export type Predictions = HostArray | readonly HostArray[];

/** Numbers in lists of lists, all of the same length at the same depth, or an array. */
export type NestedNumbers = readonly (number | NestedNumbers)[] | HostArray;

/** The predictions as a list of arrays of one shape. @throws ShapeError */
function members(op: string, predictions: Predictions): HostArray[] {
  if (Array.isArray(predictions)) expectArguments(op, "arrays", { predictions });
  else expectArguments(op, "array", { predictions });
  if (!("data" in predictions)) {
    const [first] = predictions;
    if (!first) throw new ShapeError(`${op}: expected at least one prediction, got none`);
    const other = predictions.find((p) => !sameShape(p.shape, first.shape));
    if (other)
      throw new ShapeError(`${op}: predictions must have one shape, got ${showShape(first.shape)} and ${showShape(other.shape)}`);
    return [...predictions];
  }
  const [count, ...shape] = predictions.shape;
  if (!count) throw new ShapeError(`${op}: expected [models, C, …] with at least one model, got ${showShape(predictions.shape)}`);
  const size = sizeOf(shape);
  return Array.from({ length: count }, (_, e) => ({ data: predictions.data.subarray(e * size, (e + 1) * size), shape }));
}

/** The result with the geometry of the first prediction of a list. */
function like(predictions: Predictions, data: HostArray["data"], shape: readonly number[]): HostArray {
  return "data" in predictions ? { data, shape } : { ...predictions[0], data, shape };
}

/**
 * The mean of several predictions, in the element type of the first. Weights are of the models, or with more axes of models and channels (and further
 * axes); they are divided by their mean over the models. MONAI's `MeanEnsemble`.
 *
 * Shapes: a list of `[C, …]`, or `[models, C, …]` → `[C, …]`.
 * Geometry: kept, that of the first of a list.
 * @throws ShapeError for predictions of several shapes and weights that do not fit, DTypeError for integers without weights
 */
export class MeanEnsemble {
  private readonly weights: HostArray | null;

  constructor(options: { readonly weights?: NestedNumbers | null } = {}) {
    const { weights } = allOptions("MeanEnsemble", options, "weights", { weights: null });
    if (weights !== null) expectArguments("MeanEnsemble", isHostArray(weights) ? "array" : "list", { weights });
    this.weights = weights === null ? null : "data" in weights ? weights : nested(weights);
  }

  /** The weighted mean `[C, …]` of the predictions. */
  apply(predictions: Predictions): HostArray {
    const list = members("MeanEnsemble", predictions);
    const [{ data: first, shape }] = list;
    if (!this.weights && !nativeOf(first)?.startsWith("f"))
      throw new DTypeError("MeanEnsemble: integers have no mean of their type; use VoteEnsemble for labels, or give floats");
    const sums = new Float64Array(first.length);
    list.forEach(({ data }, e) => {
      const scale = this.weights ? scales(this.weights, list.length, e, shape) : undefined;
      if (scale) addScaled(sums, data, scale);
      else for (let i = 0; i < sums.length; i++) sums[i] += data[i];
    });
    const mean = emptyLike(first, sums.length);
    for (let i = 0; i < sums.length; i++) mean[i] = sums[i] / list.length;
    return like(predictions, mean, shape);
  }
}

/** Adds values times factors, each of which is that of a stretch of equal length. */
function addScaled(sums: Float64Array, data: TypedArray, factors: Float64Array): void {
  const length = data.length / factors.length;
  for (let k = 0; k < factors.length; k++) {
    const [factor, end] = [factors[k], (k + 1) * length];
    for (let i = k * length; i < end; i++) sums[i] += data[i] * factor;
  }
}

function nested(list: readonly (number | NestedNumbers)[]): HostArray {
  const shape: number[] = [];
  for (let v: unknown = list; Array.isArray(v); v = v[0]) shape.push(v.length);
  const data = Float64Array.from((list as readonly unknown[]).flat(Infinity) as number[]);
  if (data.length !== sizeOf(shape) || data.some(Number.isNaN))
    throw new ConfigError("MeanEnsemble: weights must be numbers in lists of equal length");
  return { data, shape };
}

/** The factors of one model, weights by their mean over the models: one for each element of the leading axes that the weights have. */
function scales(weights: HostArray, models: number, e: number, shape: readonly number[]): Float64Array {
  const [own, ...axes] = weights.shape;
  const leading = shape.slice(0, axes.length);
  if ((own !== models && own !== 1) || axes.length > shape.length || axes.some((d, i) => d !== 1 && d !== shape[i]))
    throw new ShapeError(
      `MeanEnsemble: weights of shape ${showShape(weights.shape)} do not fit ${models} predictions of shape ${showShape(shape)}`,
    );
  const size = sizeOf(axes);
  const out = new Float64Array(sizeOf(leading));
  for (let k = 0; k < out.length; k++) {
    let at = 0;
    for (let axis = axes.length - 1, rest = k, step = 1; axis >= 0; axis--) {
      at += axes[axis] === 1 ? 0 : (rest % leading[axis]) * step;
      rest = Math.floor(rest / leading[axis]);
      step *= axes[axis];
    }
    let sum = 0;
    for (let m = 0; m < own; m++) sum += weights.data[m * size + at];
    out[k] = weights.data[(own === 1 ? 0 : e) * size + at] / (sum / own);
  }
  return out;
}

/**
 * What most of several predictions say, in the element type of the first: of one-hot masks the rounded mean (half to even), of labels with `numClasses`
 * the most frequent, of equally frequent ones the least. MONAI's `VoteEnsemble`.
 *
 * Shapes: a list of `[C, …]`, or `[models, C, …]` → `[C, …]`; with `numClasses` `[1, …]` or one number per model → the same, and several channels → `[1, …]`.
 * Geometry: kept, that of the first of a list.
 * @throws ShapeError for predictions of several shapes, DataError for a label outside of `numClasses`
 */
export class VoteEnsemble {
  private readonly numClasses: number | null;

  constructor(options: { readonly numClasses?: number | null } = {}) {
    this.numClasses = allOptions("VoteEnsemble", options, "numClasses:number", { numClasses: null }).numClasses;
  }

  /** The label map or one-hot mask that most predictions have. */
  apply(predictions: Predictions): HostArray {
    const list = members("VoteEnsemble", predictions);
    const [{ data: first, shape }] = list;
    if (this.numClasses === null || shape[0] > 1) {
      const sums = new Float64Array(first.length);
      for (const { data } of list) for (let i = 0; i < sums.length; i++) sums[i] += data[i];
      return this.numClasses === null ? rounded(predictions, sums, list) : largestChannel(predictions, sums, list);
    }
    const votes = countVotes(list, this.numClasses);
    return like(predictions, mostVotes(votes, this.numClasses, emptyLike(first, first.length)), shape);
  }
}

function rounded(predictions: Predictions, sums: Float64Array, list: readonly HostArray[]): HostArray {
  const out = emptyLike(list[0].data, sums.length);
  for (let i = 0; i < sums.length; i++) out[i] = roundHalfEven(sums[i] / list.length);
  return like(predictions, out, list[0].shape);
}

/** One-hot predictions whose classes were counted nevertheless: the channel that most have chosen. */
function largestChannel(predictions: Predictions, sums: Float64Array, [first]: readonly HostArray[]): HostArray {
  const [channels, ...rest] = first.shape;
  const out = mostVotes(sums, channels, emptyLike(first.data, sums.length / channels));
  return like(predictions, out, [1, ...rest]);
}

function countVotes(list: readonly HostArray[], classes: number): Uint16Array {
  const size = list[0].data.length;
  const votes = new Uint16Array(classes * size);
  for (const { data } of list) {
    for (let i = 0; i < size; i++) {
      const c = Math.trunc(data[i]);
      if (!(c >= 0 && c < classes))
        throw new DataError(`VoteEnsemble: class ${data[i]} is outside 0 … ${classes - 1}; raise numClasses or map the labels`);
      votes[c * size + i]++;
    }
  }
  return votes;
}

function mostVotes<A extends HostArray["data"]>(votes: Uint16Array | Float64Array, classes: number, out: A): A {
  for (let i = 0; i < out.length; i++) {
    let best = 0;
    for (let c = 1; c < classes; c++) if (votes[c * out.length + i] > votes[best * out.length + i]) best = c;
    out[i] = best;
  }
  return out;
}
