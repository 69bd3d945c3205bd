/** @file The surfaces of two masks and the distances between them, each worked out once, whatever metrics are taken of it. */

import { expectWord } from "../../host/words.ts";
import { expectInstance, expectArguments } from "../../host/kinds.ts";
import { expectOptions } from "../../host/options.ts";
import {
  type DistanceMetric,
  distanceTransformCdt,
  expectAxes,
  type Size3,
  siteDistances,
  threeAxes,
  perAxis,
} from "../../host/grid/distance.ts";
import { boundingBox, cropMask, maskEdges } from "../../host/grid/mask.ts";
import type { HostArray, TypedArray } from "../../host/array.ts";
import { ConfigError, ShapeError } from "../../host/errors.ts";
import { sameShape, showShape } from "../../host/shape.ts";
import { quantiles } from "../../host/stats.ts";
import { codeAreas, codeLengths } from "./neighbor_codes.ts";

export type { DistanceMetric } from "../../host/grid/distance.ts";

/** Voxel size: one number, one per axis, or one list per sample of a batch. */
export type Spacing = number | readonly number[] | readonly (readonly number[])[];

/** Options of `SurfacePair`. */
export interface SurfacePairOptions {
  /** "euclidean" is exact and knows the voxel size; "chessboard" and "taxicab" count steps. Default "euclidean". */
  readonly distanceMetric?: DistanceMetric;
  /** Voxel size: one number or one per axis. Default 1. */
  readonly spacing?: number | readonly number[] | undefined;
  /** Surfaces between voxels, weighted by their area, as DeepMind's surface-distance; otherwise the voxels of a mask at its edge. Default false. */
  readonly useSubvoxels?: boolean;
  /**
   * "edge": where a mask meets the end of the volume it has an edge (MONAI, MedPy). "inside": it goes on there, without an edge (CHAOS). Default "edge"; always
   * so with `useSubvoxels`.
   */
  readonly border?: "edge" | "inside";
}

/** Distances from the elements of one surface to another surface. */
export interface SurfaceDistances {
  /** Of each element; in no particular order. */
  readonly distance: Float64Array;
  /** Area of each element, with `useSubvoxels`. */
  readonly area: Float64Array | undefined;
}

interface Surface {
  readonly elements: Uint8Array;
  /** Neighbor code of each element, with `useSubvoxels`. */
  readonly codes: Uint8Array | undefined;
  readonly count: number;
}

const metrics: readonly string[] = ["euclidean", "chessboard", "taxicab"];

/** Throws `ConfigError` for a metric that there is not. */
export function expectDistanceMetric(op: string, metric: DistanceMetric): void {
  if (!metrics.includes(metric))
    throw new ConfigError(`${op}: distanceMetric is one of ${metrics.join(", ")}, got "${String(metric)}"`);
}

/**
 * Two masks on one grid. Only the box around both is looked at. Where one mask is empty, every distance is Infinity, and there are as many as the other has
 * elements, in both directions, as MONAI has it; where both are, there are none.
 */
export class SurfacePair {
  private readonly size: Size3;
  private readonly spacing: readonly [number, number, number];
  private readonly metric: DistanceMetric;
  private readonly areas: Float64Array | undefined;
  private readonly prediction: Surface;
  private readonly reference: Surface;
  private forward: SurfaceDistances | undefined;
  private backward: SurfaceDistances | undefined;

  /**
   * @param prediction 0 or 1 each, of `shape`
   * @param shape of both, 1 to 3 axes; 2 or 3 with `useSubvoxels`
   * @throws ShapeError, ConfigError
   * @param reference 0 or 1 each, of `shape`
   */
  constructor(prediction: Uint8Array, reference: Uint8Array, shape: readonly number[], options: SurfacePairOptions = {}) {
    const op = "SurfacePair";
    expectOptions(op, options, "distanceMetric spacing useSubvoxels border");
    const { distanceMetric = "euclidean", spacing, useSubvoxels = false, border: rule = "edge" } = options;
    expectWord(op, "border", rule, ["edge", "inside"]);
    const inside = rule === "inside" && !useSubvoxels;
    expectDistanceMetric(op, distanceMetric);
    expectArguments(op, "values", { prediction, reference });
    expectArguments(op, "numbers", { shape });
    expectAxes(op, shape);
    if (useSubvoxels && shape.length === 1)
      throw new ShapeError(`${op}: useSubvoxels is of 2 or 3 axes, got the shape ${showShape(shape)}`);
    const whole = threeAxes(op, shape);
    const sizes = perAxis(op, spacing, shape.length);
    this.metric = distanceMetric;
    this.spacing = threeAxes(op, sizes);
    if (useSubvoxels) this.areas = shape.length === 2 ? codeLengths(sizes) : codeAreas(sizes);
    const border: Size3 = [shape.length > 2 ? 1 : 0, shape.length > 1 ? 1 : 0, 1];
    // Where the volume ends counts, so all of it stays.
    const cropped = inside
      ? [prediction, reference].map((data) => ({ data, size: whole }))
      : cropBoth(prediction, reference, whole, border);
    this.size = cropped[0].size;
    [this.prediction, this.reference] = cropped.map(({ data }) =>
      useSubvoxels ? codedSurface(data, this.size, shape.length) : edgeSurface(data, this.size, shape.length, inside),
    );
  }

  /** Whether neither mask has an element. */
  get empty(): boolean {
    return this.prediction.count === 0 && this.reference.count === 0;
  }

  /** Whether one mask has elements and the other none: then every distance is infinite. */
  get oneSided(): boolean {
    return (this.prediction.count === 0) !== (this.reference.count === 0);
  }

  /** From the prediction to the reference. */
  toReference(): SurfaceDistances {
    return (this.forward ??= this.distances(this.prediction, this.reference));
  }

  /** From the reference to the prediction. */
  toPrediction(): SurfaceDistances {
    return (this.backward ??= this.distances(this.reference, this.prediction));
  }

  private distances(from: Surface, to: Surface): SurfaceDistances {
    if (from.count === 0 || to.count === 0) {
      const { codes, elements } = from.count > 0 ? from : to;
      const voxel = new Int32Array(from.count + to.count);
      for (let i = 0, n = 0; i < elements.length; i++) if (elements[i] !== 0) voxel[n++] = i;
      // An element that does not exist has no area.
      const area = from.count > 0 ? this.areasOf(codes, voxel) : codes && new Float64Array(0);
      return { distance: new Float64Array(voxel.length).fill(Infinity), area };
    }
    if (this.metric !== "euclidean") return this.steps(from, to, this.metric);
    const { distance, voxel } = siteDistances(to.elements, from.elements, this.size, this.spacing);
    return { distance, area: this.areasOf(from.codes, voxel) };
  }

  private steps(from: Surface, to: Surface, metric: "chessboard" | "taxicab"): SurfaceDistances {
    const outside = new Uint8Array(to.elements.length);
    for (let i = 0; i < outside.length; i++) outside[i] = 1 - to.elements[i];
    const { data } = distanceTransformCdt({ data: outside, shape: this.size }, metric);
    const distance = new Float64Array(from.count);
    const voxel = new Int32Array(from.count);
    for (let i = 0, n = 0; i < data.length; i++) {
      if (from.elements[i] === 0) continue;
      voxel[n] = i;
      distance[n++] = data[i];
    }
    return { distance, area: this.areasOf(from.codes, voxel) };
  }

  private areasOf(codes: Uint8Array | undefined, voxel: Int32Array): Float64Array | undefined {
    if (!codes || !this.areas) return undefined;
    const out = new Float64Array(voxel.length);
    for (let i = 0; i < out.length; i++) out[i] = this.areas[codes[voxel[i]]];
    return out;
  }
}

/** Both masks in the box around them, which has a border of zeros; without a voxel if both are empty. */
function cropBoth(a: Uint8Array, b: Uint8Array, size: Size3, border: Size3): { data: Uint8Array; size: Size3 }[] {
  const box = boundingBox(a, b, size);
  return [a, b].map((mask) => (box ? cropMask(mask, size, box, border) : { data: new Uint8Array(0), size: [0, 0, 0] }));
}

function edgeSurface(mask: Uint8Array, size: Size3, axes: number, inside: boolean): Surface {
  const elements = maskEdges(mask, size, axes, inside);
  let count = 0;
  for (let i = 0; i < elements.length; i++) count += elements[i];
  return { elements, codes: undefined, count };
}

/** Corners of the grid whose voxels are not all on one side. The mask has a border of zeros, so the corner before each voxel is enough. */
function codedSurface(mask: Uint8Array, [depth, height, width]: Size3, axes: number): Surface {
  const codes = new Uint8Array(mask.length);
  const elements = new Uint8Array(mask.length);
  const plane = height * width;
  const full = axes === 2 ? 15 : 255;
  const layers = axes === 2 ? depth : depth - 1;
  let count = 0;
  for (let z = 0; z < layers; z++) {
    for (let y = 0; y < height - 1; y++) {
      for (let x = 0, i = z * plane + y * width; x < width - 1; x++, i++) {
        let code = 8 * mask[i] + 4 * mask[i + 1] + 2 * mask[i + width] + mask[i + width + 1];
        if (axes === 3) {
          const j = i + plane;
          code = 16 * code + 8 * mask[j] + 4 * mask[j + 1] + 2 * mask[j + width] + mask[j + width + 1];
        }
        if (code === 0 || code === full) continue;
        codes[i] = code;
        elements[i] = 1;
        count++;
      }
    }
  }
  return { elements, codes, count };
}

/** Names of what surface metrics over a batch take. */
export interface BatchSurfaceOptions {
  /** Score class 0 too, where there are several. Default **false**, as MONAI's. */
  readonly includeBackground?: boolean;
  /** Default "euclidean". */
  readonly distanceMetric?: DistanceMetric;
  /** Voxel size: one number, one per axis, or a list of sizes per sample. Default 1. */
  readonly spacing?: Spacing | undefined;
}

/** What differs from batch to batch. */
export interface SurfaceCall {
  /** Voxel size: one number, one per axis, or a list of sizes per sample. Default 1. */
  readonly spacing?: Spacing | undefined;
}

/** The voxel size of each sample. @throws ConfigError */
function spacings(
  op: string,
  spacing: Spacing | undefined,
  samples: number,
  axes: number,
): (number | readonly number[] | undefined)[] {
  if (typeof spacing !== "number" && spacing !== undefined) expectArguments(op, "list", { "options.spacing": spacing });
  if (typeof spacing !== "object") return new Array<number | undefined>(samples).fill(spacing);
  const perSample = spacing.filter((s) => typeof s === "object");
  if (perSample.length === 0) return Array.from({ length: samples }, () => perAxis(op, spacing as readonly number[], axes));
  if (perSample.length !== spacing.length || spacing.length !== samples)
    throw new ConfigError(
      `${op}: spacing has ${spacing.length} entries for ${samples} samples; give one list per sample, or one for all`,
    );
  return perSample.map((s) => perAxis(op, s, axes));
}

/** Voxels that are 1, as MONAI reads masks of its surface metrics. */
function onesOf(data: TypedArray): Uint8Array {
  const mask = new Uint8Array(data.length);
  for (let i = 0; i < mask.length; i++) mask[i] = data[i] === 1 ? 1 : 0;
  return mask;
}

/**
 * A score of each sample and class from its pair of surfaces.
 * @param yPred masks `[N, C, ...spatial]`, 1 where a voxel belongs to the class
 * @returns `[N, classes]`
 * @throws ShapeError, ConfigError
 */
export function scoreSurfaces(
  op: string,
  yPred: HostArray,
  y: HostArray,
  options: BatchSurfaceOptions & Pick<SurfacePairOptions, "useSubvoxels">,
  score: (pair: SurfacePair, sample: number, column: number) => number,
): HostArray<Float64Array> {
  expectArguments(op, "array", { yPred, y });
  const { includeBackground = false, distanceMetric = "euclidean", spacing, useSubvoxels = false } = options;
  if (!sameShape(yPred.shape, y.shape))
    throw new ShapeError(`${op}: yPred ${showShape(yPred.shape)} and y ${showShape(y.shape)} must have the same shape`);
  if (yPred.shape.length < 3) throw new ShapeError(`${op}: expected [N, C, ...spatial], got ${showShape(yPred.shape)}`);
  expectDistanceMetric(op, distanceMetric);
  const [samples, channels, ...shape] = yPred.shape;
  const sizes = spacings(op, spacing, samples, shape.length);
  const first = includeBackground || channels === 1 ? 0 : 1;
  const classes = channels - first;
  const voxels = yPred.data.length / (samples * channels);
  const data = new Float64Array(samples * classes);
  for (let s = 0; s < samples; s++) {
    for (let c = 0; c < classes; c++) {
      const at = (s * channels + first + c) * voxels;
      const [p, t] = [yPred, y].map((a) => onesOf(a.data.subarray(at, at + voxels)));
      data[s * classes + c] = score(new SurfacePair(p, t, shape, { distanceMetric, spacing: sizes[s], useSubvoxels }), s, c);
    }
  }
  return { data, shape: [samples, classes] };
}

/** The value below which `percentile` of 100 distances lie, between two in proportion; 0 or none: the largest. NaN of no distances. */
export function distancePercentile(distance: Float64Array, percentile: number | null | undefined): number {
  if (percentile) return quantiles(distance, [percentile / 100])[0];
  let greatest = NaN;
  for (let i = 0; i < distance.length; i++) if (!(distance[i] <= greatest)) greatest = distance[i];
  return greatest;
}

/** Throws `ConfigError` for what is no pair of surfaces. */
export function expectPair(op: string, pair: unknown): void {
  expectInstance(op, SurfacePair, "a SurfacePair", { pair });
}
