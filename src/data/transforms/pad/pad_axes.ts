/** @file Padding of arrays axis by axis with the modes of numpy.pad and torch.nn.functional.pad. */
import { ConfigError, ShapeError } from "../../../host/errors.ts";
import type { HostArray, TypedArray } from "../../../host/array.ts";
import { roundHalfEven } from "../../../host/rounding.ts";
import { emptyLike } from "../../../host/strided.ts";

/** Voxels added before and after. */
export type PadWidth = readonly [before: number, after: number];

/** "edge" = "replicate", "wrap" = "circular"; "reflect" leaves the border voxel out, "symmetric" repeats it. */
export type NumpyPadMode =
  | "constant"
  | "edge"
  | "replicate"
  | "reflect"
  | "symmetric"
  | "wrap"
  | "circular"
  | "mean"
  | "minimum"
  | "maximum";

export interface PadFill {
  /** Default "constant". */
  mode?: NumpyPadMode;
  /** Value of mode "constant". Default 0. */
  value?: number;
  /** numpy's form of it: one value, or [before, after] per axis of the array, the channel axis first. */
  constantValues?: number | readonly (readonly [number, number])[];
}

/** Pads the spatial axes of a channel-first array, first axis first: later axes also pad what earlier ones added, as numpy does. */
export function padAxes(
  op: string,
  x: HostArray,
  width: readonly PadWidth[],
  { mode = "constant", value = 0, constantValues }: PadFill,
): HostArray {
  let out = x;
  width.forEach(([before, after], i) => {
    if (before === 0 && after === 0) return;
    const constants =
      constantValues === undefined ? value : typeof constantValues === "number" ? constantValues : constantValues[i + 1];
    const [low, high] = typeof constants === "number" ? [constants, constants] : (constants ?? [value, value]);
    out = padAxis(op, out, i + 1, before, after, mode, low, high);
  });
  return out;
}

function padAxis(
  op: string,
  x: HostArray,
  axis: number,
  before: number,
  after: number,
  mode: NumpyPadMode,
  low: number,
  high: number,
): HostArray {
  const size = x.shape[axis];
  if (size === 0 && mode !== "constant")
    throw new ShapeError(`${op}: axis ${axis} of shape [${x.shape.join(", ")}] is empty; only mode "constant" can pad it`);
  const total = before + size + after;
  const source = Int32Array.from({ length: total }, (_, i) => sourceIndex(op, mode, i - before, size));
  const inner = x.shape.slice(axis + 1).reduce((a, b) => a * b, 1);
  const outer = x.shape.slice(0, axis).reduce((a, b) => a * b, 1);
  const out = emptyLike(x.data, outer * total * inner);
  for (let o = 0; o < outer; o++) {
    const block = x.data.subarray(o * size * inner, (o + 1) * size * inner);
    const fill = isStatistic(mode) ? statistic(mode, block, size, inner) : undefined;
    for (let i = 0, to = o * total * inner; i < total; i++, to += inner) {
      const from = source[i] * inner;
      // Plain loops: for the short rows of the last axes they are several times faster than set and subarray.
      if (from >= 0) for (let j = 0; j < inner; j++) out[to + j] = block[from + j];
      else if (fill) out.set(fill, to);
      else out.fill(i < before ? low : high, to, to + inner);
    }
  }
  return { data: out, shape: x.shape.map((s, i) => (i === axis ? total : s)) };
}

/** Index that position `i` (may lie outside 0 … size − 1) is copied from; −1 = a fill value. */
function sourceIndex(op: string, mode: NumpyPadMode, i: number, size: number): number {
  if (i >= 0 && i < size) return i;
  switch (mode) {
    case "constant":
    case "mean":
    case "minimum":
    case "maximum":
      return -1;
    case "edge":
    case "replicate":
      return i < 0 ? 0 : size - 1;
    case "wrap":
    case "circular":
      return modulo(i, size);
    case "symmetric": {
      const at = modulo(i, 2 * size);
      return at < size ? at : 2 * size - 1 - at;
    }
    case "reflect": {
      if (size === 1) return 0;
      const at = modulo(i, 2 * (size - 1));
      return at < size ? at : 2 * (size - 1) - at;
    }
    default:
      throw new ConfigError(`${op}: unknown padding mode "${String(mode)}"`);
  }
}

type Statistic = "mean" | "minimum" | "maximum";

function isStatistic(mode: NumpyPadMode): mode is Statistic {
  return mode === "mean" || mode === "minimum" || mode === "maximum";
}

/** Statistic along the first axis of a [size, inner] block. */
function statistic(mode: Statistic, block: TypedArray, size: number, inner: number): TypedArray {
  const integer = !(block instanceof Float32Array || block instanceof Float64Array);
  const out = emptyLike(block, inner);
  for (let j = 0; j < inner; j++) {
    let sum = 0;
    let min = Infinity;
    let max = -Infinity;
    for (let i = 0; i < size; i++) {
      const v = block[i * inner + j];
      sum += v;
      if (v < min) min = v;
      if (v > max) max = v;
    }
    const mean = sum / size;
    out[j] = mode === "minimum" ? min : mode === "maximum" ? max : integer ? roundHalfEven(mean) : mean;
  }
  return out;
}

function modulo(i: number, n: number): number {
  return ((i % n) + n) % n;
}
