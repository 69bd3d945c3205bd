/** @file What is done with the values of a label map: `LabelFilter`, `LabelToContour`, `DistanceTransformEDT`. */
import { expectArguments } from "../../../host/kinds.ts";
import { sizeOf, type HostArray } from "../../../host/array.ts";
import { required } from "../../../host/defaults.ts";
import { ConfigError, ShapeError } from "../../../host/errors.ts";
import { distanceTransformEdt } from "../../../host/grid/distance.ts";
import { boxSums } from "../../../host/grid/box_sums.ts";
import { showShape } from "../../../host/shape.ts";
import { spatialShape } from "../../../host/strided.ts";
import type { Transform } from "../transform.ts";
import { allOptions } from "../options.ts";

/** One label or several. */
export type LabelValues = number | readonly number[];

/** The labels as a list; undefined for none given. */
export function labelList(labels: LabelValues | null | undefined): readonly number[] | undefined {
  return typeof labels === "number" ? [labels] : (labels ?? undefined);
}

/**
 * Values of a label map `[1, …]`, or one-hot channels with anything in them, in rising order. `isOnehot` tells which of them `x` is. @throws ShapeError for
 * several channels that are not one-hot
 */
export const getUniqueLabels = (x: HostArray, isOnehot: boolean): number[] => presentLabels("getUniqueLabels", x, isOnehot);

/** `getUniqueLabels` for an operation that its errors name. */
export function presentLabels(op: string, x: HostArray, isOnehot: boolean): number[] {
  expectArguments(op, "array", { x });
  if (isOnehot) {
    const voxels = x.data.length / x.shape[0];
    return Array.from({ length: x.shape[0] }, (_, c) => c).filter((c) => {
      let sum = 0;
      for (let i = c * voxels; i < (c + 1) * voxels; i++) sum += x.data[i];
      return sum > 0;
    });
  }
  if (x.shape[0] !== 1)
    throw new ShapeError(
      `${op}: labels are in one channel, got shape ${showShape(x.shape)}; set isOnehot if channels are classes`,
    );
  const labels = new Set<number>();
  let last = NaN;
  for (let i = 0; i < x.data.length; i++) {
    const v = x.data[i];
    if (v === last) continue; // neighbors are mostly equal, and a set is slow
    labels.add(v);
    last = v;
  }
  return Array.from(labels).sort((a, b) => a - b);
}

/**
 * Keeps the labels of `appliedLabels` and sets all others to 0. MONAI's `LabelFilter`.
 *
 * Shapes: any, unchanged.
 * Geometry: kept.
 * @throws ConfigError without labels or for what is no array
 */
export class LabelFilter implements Transform {
  private readonly labels: ReadonlySet<number>;

  constructor(options: { readonly appliedLabels: LabelValues }) {
    const { appliedLabels } = allOptions("LabelFilter", options, "appliedLabels:sizes", { appliedLabels: required });
    this.labels = new Set(labelList(appliedLabels));
  }

  apply(x: HostArray): HostArray {
    expectArguments("LabelFilter", "array", { x });
    if (!ArrayBuffer.isView(x.data) || !Array.isArray(x.shape))
      throw new ConfigError("LabelFilter: expected an array { data, shape } with a typed array as data");
    const data = x.data.slice();
    let last = 0;
    let kept = true;
    for (let i = 0; i < data.length; i++) {
      if (data[i] !== last) kept = this.labels.has((last = data[i]));
      if (!kept) data[i] = 0;
    }
    return { ...x, data };
  }
}

/**
 * The inner contour of a mask of 0 and 1: its voxels with a neighbor, diagonal ones too, outside of it; what is beyond the image is outside. A Laplacian
 * of 3 voxels per axis, cut to 0 … 1. MONAI's `LabelToContour`.
 *
 * Shapes: `[C, …]` with 2 or 3 spatial axes, unchanged.
 * Geometry: kept. `kernelType` has the one value "Laplace".
 * @throws ConfigError for another kernel, ShapeError for another number of axes
 */
export class LabelToContour implements Transform {
  constructor(options: { readonly kernelType?: "Laplace" } = {}) {
    const { kernelType } = allOptions("LabelToContour", options, "kernelType", { kernelType: "Laplace" });
    if (kernelType !== "Laplace")
      throw new ConfigError(`LabelToContour: kernelType must be "Laplace", got "${String(kernelType)}"`);
  }

  apply(x: HostArray): HostArray {
    const shape = spatialShape("LabelToContour", x);
    if (shape.length !== 2 && shape.length !== 3)
      throw new ShapeError(`LabelToContour: expected [C, …] with 2 or 3 spatial axes, got shape ${showShape(x.shape)}`);
    const data = x.data.slice();
    const voxels = sizeOf(shape);
    const weight = 3 ** shape.length;
    for (let c = 0; c < x.shape[0]; c++) {
      const plane = x.data.subarray(c * voxels, (c + 1) * voxels);
      const around = boxSums(
        plane,
        shape,
        shape.map(() => 3),
        0,
      );
      for (let v = 0; v < voxels; v++) data[c * voxels + v] = Math.min(1, Math.max(0, weight * plane[v] - around[v]));
    }
    return { ...x, data };
  }
}

/**
 * Distance of each voxel that is not 0 to the nearest 0 of its channel, exact and in float64; in a channel without any to the place
 * before its first voxel along the first axis, as SciPy has it. MONAI's `DistanceTransformEDT`, by the lower envelopes of Felzenszwalb and Huttenlocher (2012).
 *
 * Shapes: `[C, …]` with 2 or 3 spatial axes, unchanged.
 * Geometry: kept.
 * @throws ShapeError for another number of axes, ConfigError for a `sampling` that does not fit them
 */
export class DistanceTransformEDT implements Transform {
  private readonly sampling: number | readonly number[] | null;

  constructor(options: { readonly sampling?: number | readonly number[] | null } = {}) {
    this.sampling = allOptions("DistanceTransformEDT", options, "sampling:sizes", { sampling: null }).sampling;
  }

  apply(x: HostArray): HostArray<Float64Array> {
    expectArguments("DistanceTransformEDT", "array", { x });
    const shape = x.shape.slice(1);
    if (shape.length !== 2 && shape.length !== 3)
      throw new ShapeError(`DistanceTransformEDT: expected [C, …] with 2 or 3 spatial axes, got shape ${showShape(x.shape)}`);
    const voxels = sizeOf(shape);
    const data = new Float64Array(x.data.length);
    for (let c = 0; c < x.shape[0]; c++) {
      const plane = { data: x.data.subarray(c * voxels, (c + 1) * voxels), shape };
      const { data: distances } = distanceTransformEdt(plane, { sampling: this.sampling ?? 1 });
      data.set(distances[0] === Infinity ? beforeFirst(shape, this.sampling ?? 1) : distances, c * voxels);
    }
    return { ...x, data };
  }
}

/** Distances to the place one voxel before the first. */
function beforeFirst(shape: readonly number[], sampling: number | readonly number[]): Float64Array {
  const step = shape.map((_, a) => (typeof sampling === "number" ? sampling : sampling[a]));
  let squares = Float64Array.of(0);
  shape.forEach((size, a) => {
    const along = Float64Array.from({ length: size }, (_, i) => ((a === 0 ? i + 1 : i) * step[a]) ** 2);
    const next = new Float64Array(squares.length * size);
    for (let i = 0; i < next.length; i++) next[i] = squares[Math.floor(i / size)] + along[i % size];
    squares = next;
  });
  return squares.map(Math.sqrt);
}
