/** @file Padding of arrays axis by axis with the modes of numpy.pad and torch.nn.functional.pad. */
import { type EdgeMode, edgeIndices, edgeMode, torchEdges } from "../../../host/edges.ts";
import { ShapeError } from "../../../host/errors.ts";
import type { HostArray, TypedArray } from "../../../host/array.ts";
import { roundHalfEven } from "../../../host/rounding.ts";
import { emptyLike } from "../../../host/strided.ts";

/** Voxels added before and after. */
export type PadWidth = readonly [before: number, after: number];

/** NumPy's names and PyTorch's; of the statistics the fill is computed. */
const modes = {
  ...torchEdges,
  edge: "edge",
  symmetric: "symmetric",
  wrap: "wrap",
  mean: "constant",
  minimum: "constant",
  maximum: "constant",
} as const satisfies Readonly<Record<string, EdgeMode>>;

/** "edge" = "replicate", "wrap" = "circular"; "reflect" leaves the border voxel out, "symmetric" repeats it. */
export type NumpyPadMode = keyof typeof modes;

/** What is put around the image. */
export interface PadFill {
  /** Default "constant". */
  readonly mode?: NumpyPadMode;
  /** Value of mode "constant". Default 0. */
  readonly value?: number;
  /** numpy's form of it: one value, or [before, after] per axis of the array, the channel axis first. */
  readonly constantValues?: number | readonly (readonly [number, number])[];
}

/** Pads the spatial axes of a channel-first array, first axis first: later axes also pad what earlier ones added, as numpy does. */
export function padAxes(
  op: string,
  x: HostArray,
  width: readonly PadWidth[],
  { mode = "constant", value = 0, constantValues }: PadFill,
): HostArray {
  edgeMode(op, "padding mode", mode, modes);
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
  const source = edgeIndices(modes[mode], -before, total, size);
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
