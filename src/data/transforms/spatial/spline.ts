/**
 * @file Sampling with B-splines of order 0 to 5 as scipy.ndimage.map_coordinates does: the image is filtered to coefficients, then the spline through
 * them is evaluated. Method: Unser, Aldroubi, Eden, "B-spline signal processing" (1993).
 */
import { ConfigError } from "../../../host/errors.ts";
import { type HostArray, sizeOf, type TypedArray } from "../../../host/array.ts";
import { stridesOf } from "../../../host/shape.ts";
import { resampleAxes, splineCoefficients, type SplineMode } from "../../../host/spline.ts";
import { emptyTaps, type Plan, planOf, type Taps, tapsOf } from "../../../host/spline_lines.ts";
import { unfilledFloats } from "../../../host/unfilled.ts";

export type { SplineMode } from "../../../host/spline.ts";

/** Order of a spline. */
export type SplineOrder = 0 | 1 | 2 | 3 | 4 | 5;

export const isSplineOrder = (mode: unknown): mode is SplineOrder =>
  typeof mode === "number" && Number.isInteger(mode) && mode >= 0 && mode <= 5;

interface Request {
  readonly order: SplineOrder;
  readonly mode: string;
  readonly shape: readonly number[];
  readonly rows: number;
  readonly length: number;
  /** Positions of a row, per spatial axis of the image. */
  readonly fill: (row: number) => readonly Float64Array[];
}

/** PyTorch's names and SciPy's. */
const boundaries: Readonly<Record<string, SplineMode>> = {
  zeros: "constant",
  border: "nearest",
  reflection: "reflect",
  constant: "constant",
  "grid-constant": "grid-constant",
  nearest: "nearest",
  mirror: "mirror",
  reflect: "reflect",
  "grid-mirror": "reflect",
  wrap: "wrap",
  "grid-wrap": "grid-wrap",
};

function boundaryOf(op: string, mode: string): SplineMode {
  if (Object.hasOwn(boundaries, mode)) return boundaries[mode];
  throw new ConfigError(`${op}: unknown paddingMode "${mode}" with a spline; known: ${Object.keys(boundaries).join(", ")}`);
}

/** The channels of an image, each an array of its own without a channel axis. */
const channelsOf = ({ data, shape }: HostArray): HostArray[] => {
  const [channels, ...spatial] = shape;
  const voxels = sizeOf(spatial);
  return Array.from({ length: channels }, (_, c) => ({ data: data.subarray(c * voxels, (c + 1) * voxels), shape: spatial }));
};

/** The spline through a channel-first image at the points of a grid that has its axes: one axis after the other. */
export function sampleSplineAxes(
  op: string,
  x: HostArray,
  order: SplineOrder,
  mode: string,
  positions: readonly Float64Array[],
): HostArray<Float32Array> {
  const options = { order, mode: boundaryOf(op, mode) };
  const size = positions.map((p) => p.length);
  const out = unfilledFloats(x.shape[0] * sizeOf(size));
  channelsOf(x).forEach((channel, c) => out.set(resampleAxes(channel, positions, options).data, c * sizeOf(size)));
  return { data: out, shape: [x.shape[0], ...size] };
}

/** The spline through a channel-first image at given places; float32. */
export function sampleSpline(op: string, x: HostArray, request: Request): HostArray<Float32Array> {
  const { order, mode, shape, rows, length, fill } = request;
  const plan = planOf(op, { order, mode: boundaryOf(op, mode) });
  const spatial = x.shape.slice(1);
  const out = unfilledFloats(sizeOf(shape));
  const coefficients = channelsOf(x).map((channel) => splineCoefficients(channel, plan));
  // Axes that the image does not have are one neighbor at offset 0 with weight 1.
  const missing = { index: new Int32Array(length), weight: new Float64Array(length).fill(1), outside: new Uint8Array(length) };
  const room = spatial.map(() => emptyTaps(length, plan));
  const strides = stridesOf(coefficients[0]?.shape ?? spatial);
  for (let row = 0; row < rows; row++) {
    fill(row).forEach((positions, a) => {
      tapsOf(positions, spatial[a], plan, room[a]);
      scaled(room[a].index, strides[a]);
    });
    const axes = [...Array.from({ length: 3 - spatial.length }, () => missing), ...room];
    const widths = axes.map((taps) => (taps === missing ? 1 : plan.order + 1));
    coefficients.forEach(({ data }, c) => evaluate(data, axes, widths, plan, out, (c * rows + row) * length, length));
  }
  return { data: out, shape };
}

/** Elements as offsets; −1 stays. */
function scaled(index: Int32Array, stride: number): void {
  for (let i = 0; i < index.length; i++) if (index[i] > 0) index[i] *= stride;
}

function evaluate(
  data: TypedArray,
  [x, y, z]: readonly Taps[],
  [wx, wy, wz]: readonly number[],
  { cval }: Plan,
  out: Float32Array,
  to: number,
  length: number,
): void {
  for (let k = 0; k < length; k++) {
    out[to + k] =
      x.outside[k] | y.outside[k] | z.outside[k] ? cval : sumAround(data, x, y, z, k * wx, k * wy, k * wz, wx, wy, wz);
  }
}

/** What has no element adds nothing: the fill is 0. */
function sumAround(
  data: TypedArray,
  x: Taps,
  y: Taps,
  z: Taps,
  fx: number,
  fy: number,
  fz: number,
  wx: number,
  wy: number,
  wz: number,
): number {
  let sum = 0;
  for (let i = fx; i < fx + wx; i++) {
    if (x.index[i] < 0) continue;
    for (let j = fy; j < fy + wy; j++) {
      if (y.index[j] < 0) continue;
      const base = x.index[i] + y.index[j];
      let line = 0;
      for (let l = fz; l < fz + wz; l++) if (z.index[l] >= 0) line += z.weight[l] * data[base + z.index[l]];
      sum += x.weight[i] * y.weight[j] * line;
    }
  }
  return sum;
}
