/** @file Padding of arrays axis by axis with the modes of numpy.pad and torch.nn.functional.pad. */
import { expectWord } from "../../../host/words.ts";
import { type EdgeMode, edgeIndices, edgeMode, torchEdges } from "../../../host/edges.ts";
import { ShapeError } from "../../../host/errors.ts";
import type { HostArray, TypedArray } from "../../../host/array.ts";
import { emptyLike } from "../../../host/strided.ts";
import { takeAxes } from "../spatial/take.ts";
import { isStatistic, oddMirror, rampRow, statisticRow } from "./pad_values.ts";

/** Voxels added before and after. */
export type PadWidth = readonly [before: number, after: number];

/** NumPy's names and PyTorch's; of those that are "constant" here the fill is computed. */
const modes = {
  ...torchEdges,
  edge: "edge",
  symmetric: "symmetric",
  wrap: "wrap",
  mean: "constant",
  median: "constant",
  minimum: "constant",
  maximum: "constant",
  linear_ramp: "constant",
  empty: "constant",
} as const satisfies Readonly<Record<string, EdgeMode>>;

/** "edge" = "replicate", "wrap" = "circular"; "reflect" leaves the border voxel out, "symmetric" repeats it; "empty" is 0 here. */
export type NumpyPadMode = keyof typeof modes;

/** One value for all, [before, after] for all, or [before, after] per axis of the array, the channel axis first: numpy's forms. */
export type PerSide = number | readonly number[] | readonly (readonly number[])[];

/** What is put around the image. */
export interface PadFill {
  /** Default "constant". */
  readonly mode?: NumpyPadMode;
  /** Value of mode "constant". Default 0. */
  readonly value?: number;
  /** numpy's form of it. */
  readonly constantValues?: PerSide;
  /** Mode "linear_ramp": what the outermost voxels are. Default 0. */
  readonly endValues?: PerSide;
  /** Statistics: how many voxels from the border count. Default all. */
  readonly statLength?: PerSide | null;
  /** Modes "reflect" and "symmetric": "odd" mirrors values at the border's too. Default "even". */
  readonly reflectType?: "even" | "odd";
}

/** Names of `PadFill`. */
export const padValueNames = "value:voxel constantValues:voxels endValues:voxels statLength:pairs reflectType:text";
/** … and of all of them. */
export const padFillNames = `mode ${padValueNames}`;

/** @throws ConfigError for an unknown mode or reflectType */
export function checkFill(op: string, { mode = "constant", reflectType = "even" }: PadFill): void {
  edgeMode(op, "padding mode", mode, modes);
  expectWord(op, "reflectType", reflectType, ["even", "odd"]);
}

/** Pads the spatial axes of a channel-first array, first axis first: later axes also pad what earlier ones added, as numpy does. */
export function padAxes(op: string, x: HostArray, width: readonly PadWidth[], fill: PadFill): HostArray {
  checkFill(op, fill);
  const { mode = "constant", value = 0, constantValues = value, reflectType = "even" } = fill;
  const empty = x.shape.slice(1).some((s, i) => s === 0 && (width[i]?.[0] || width[i]?.[1]));
  const plain = modes[mode] !== "constant" || ((mode === "constant" || mode === "empty") && typeof constantValues === "number");
  // One pass where all that is around is a voxel of the image or one value.
  if (plain && reflectType === "even" && !empty && x.shape.length > 1) {
    const index = x.shape.slice(1).map((s, i) => {
      const [before, after] = width[i] ?? [0, 0];
      return edgeIndices(modes[mode], -before, before + s + after, s);
    });
    return takeAxes(x, index, mode === "constant" ? (constantValues as number) : 0);
  }
  let out = x;
  width.forEach((sides, i) => {
    if (sides[0] !== 0 || sides[1] !== 0) out = padAxis(op, out, i + 1, sides, fill);
  });
  return out;
}

/** The value for a side of an axis in any of numpy's forms. */
function sideOf(values: PerSide | undefined, axis: number, side: 0 | 1, missing: number): number {
  if (values === undefined) return missing;
  if (typeof values === "number") return values;
  const entry = values.length === 1 ? values[0] : typeof values[0] === "number" ? (values as readonly number[]) : values[axis];
  if (entry === undefined) return missing;
  if (typeof entry === "number") return entry;
  return (entry.length === 1 ? entry[0] : entry[side]) ?? missing;
}

function padAxis(op: string, x: HostArray, axis: number, [before, after]: PadWidth, fill: PadFill): HostArray {
  const { mode = "constant", reflectType = "even" } = fill;
  const size = x.shape[axis];
  if (size === 0 && mode !== "constant" && mode !== "empty")
    throw new ShapeError(`${op}: axis ${axis} of shape [${x.shape.join(", ")}] is empty; only mode "constant" can pad it`);
  const total = before + size + after;
  const inner = x.shape.slice(axis + 1).reduce((a, b) => a * b, 1);
  const outer = x.shape.slice(0, axis).reduce((a, b) => a * b, 1);
  const out = emptyLike(x.data, outer * total * inner);
  const around =
    (mode === "reflect" || mode === "symmetric") && reflectType === "odd"
      ? oddMirror(size, before, after, mode === "symmetric")
      : rowsAround(mode, fill, axis, size, before, after);
  const source = edgeIndices(modes[mode], -before, total, size);
  for (let o = 0; o < outer; o++) {
    const block = x.data.subarray(o * size * inner, (o + 1) * size * inner);
    const to = o * total * inner;
    for (let i = 0; i < total; i++) {
      const from = source[i] * inner;
      const inside = i >= before && i < before + size;
      // Plain loops: for the short rows of the last axes they are several times faster than set and subarray.
      if (from >= 0 && (inside || !around)) for (let j = 0; j < inner; j++) out[to + i * inner + j] = block[from + j];
    }
    around?.(block, inner, out, to);
  }
  return { data: out, shape: x.shape.map((s, i) => (i === axis ? total : s)) };
}

/** Fills what is around a block `[size, inner]` in `out` from `to` on. */
export type Around = (block: TypedArray, inner: number, out: TypedArray, to: number) => void;

/** The modes with a row of values per side; undefined where the rows are those of the block. */
function rowsAround(
  mode: NumpyPadMode,
  fill: PadFill,
  axis: number,
  size: number,
  before: number,
  after: number,
): Around | undefined {
  const { value = 0, constantValues, endValues, statLength } = fill;
  const side = (start: number, count: number, put: (row: TypedArray, i: number) => void): Around => {
    return (_block, inner, out, to) => {
      for (let i = 0; i < count; i++) put(out.subarray(to + (start + i) * inner, to + (start + i + 1) * inner), i);
    };
  };
  const both = (make: (s: 0 | 1, start: number, count: number) => Around): Around => {
    const low = make(0, 0, before);
    const high = make(1, before + size, after);
    return (block, inner, out, to) => (low(block, inner, out, to), high(block, inner, out, to));
  };
  if (mode === "constant") {
    return both((s, start, count) => {
      const v = sideOf(constantValues, axis, s, value);
      return side(start, count, (row) => void (v !== 0 && row.fill(v)));
    });
  }
  if (mode === "linear_ramp") {
    return both((s, start, count) => (block, inner, out, to) => {
      const end = sideOf(endValues, axis, s, 0);
      const edge = block.subarray(s === 0 ? 0 : (size - 1) * inner, s === 0 ? inner : size * inner);
      for (let i = 0; i < count; i++) {
        const steps = s === 0 ? i : count - 1 - i;
        rampRow(edge, end, steps / count, out, to + (start + i) * inner);
      }
    });
  }
  if (!isStatistic(mode)) return undefined;
  return both((s, start, count) => (block, inner, out, to) => {
    if (count === 0) return;
    const length = Math.min(size, sideOf(statLength ?? undefined, axis, s, size));
    const rows = s === 0 ? block.subarray(0, length * inner) : block.subarray((size - length) * inner);
    const row = statisticRow(mode, rows, length, inner);
    for (let i = 0; i < count; i++) out.set(row, to + (start + i) * inner);
  });
}
