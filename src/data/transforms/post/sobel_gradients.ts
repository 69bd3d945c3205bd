/** @file `SobelGradients`: smoothed differences along each axis. */
import { sizeOf, type HostArray } from "../../../host/array.ts";
import { edgeIndices, edgeMode, type EdgeMode } from "../../../host/edges.ts";
import { ConfigError } from "../../../host/errors.ts";
import { extent } from "../../../host/stats.ts";
import { arrayAxis, spatialShape } from "../../../host/strided.ts";
import { workingCopy, type DTypeName } from "../shape/cast.ts";
import type { Transform } from "../transform.ts";
import { allOptions } from "../options.ts";

/** How `SobelGradients` takes its differences. */
export interface SobelGradientsOptions {
  /** Odd, at least 3. Default 3. In voxels. */
  readonly kernelSize?: number;
  /** Axes along which gradients are taken. Default: all. */
  readonly spatialAxes?: number | readonly number[] | null;
  /** Divide so that the slope of a ramp is its own. Default true. */
  readonly normalizeKernels?: boolean;
  /** Map each gradient to 0 … 1. Default false. */
  readonly normalizeGradients?: boolean;
  /** What is beyond the image. Default "reflect". */
  readonly paddingMode?: "zeros" | "constant" | "reflect" | "replicate" | "circular";
  /** Element type of the kernel; a float type if kernels are normalized. Default "float32". */
  readonly dtype?: DTypeName;
}

/** What stands beyond the ends, by name. */
export const sobelPaddings = {
  zeros: "constant",
  constant: "constant",
  reflect: "reflect",
  replicate: "edge",
  circular: "wrap",
} as const;

/**
 * Gradients by Sobel's kernels: a difference along one axis, smoothed along the others. Float64 stays, all else becomes float32. MONAI's `SobelGradients`.
 *
 * Shapes: `[C, …]` → `[axes · C, …]`, all channels along the first of `spatialAxes`, then along the next.
 * Geometry: kept.
 * @throws ConfigError for a size that is even or below 3, an unknown mode, and integers as `dtype` of normalized kernels; ShapeError for an axis that there is not
 */
export class SobelGradients implements Transform {
  private readonly options: Required<SobelGradientsOptions>;
  private readonly edges: EdgeMode;
  /** The kernel of differences. */
  readonly kernelDiff: Float64Array;
  /** The kernel that smooths. */
  readonly kernelSmooth: Float64Array;

  constructor(options: SobelGradientsOptions = {}) {
    this.options = allOptions(
      "SobelGradients",
      options,
      "kernelSize:number spatialAxes:sizes normalizeKernels:boolean normalizeGradients:boolean paddingMode dtype:text",
      {
        kernelSize: 3,
        spatialAxes: null,
        normalizeKernels: true,
        normalizeGradients: false,
        paddingMode: "reflect",
        dtype: "float32",
      },
    );
    const { kernelSize, normalizeKernels, paddingMode, dtype } = this.options;
    if (!Number.isInteger(kernelSize) || kernelSize < 3 || kernelSize % 2 === 0)
      throw new ConfigError(`SobelGradients: kernelSize must be odd and at least 3, got ${kernelSize}`);
    if (normalizeKernels && !dtype.startsWith("float"))
      throw new ConfigError(`SobelGradients: dtype must be a float type if kernels are normalized, got "${dtype}"`);
    this.edges = edgeMode("SobelGradients", "paddingMode", paddingMode, sobelPaddings);
    this.kernelDiff = widened([-1, 0, 1], kernelSize, normalizeKernels ? 2 : 1, normalizeKernels);
    this.kernelSmooth = widened([1, 2, 1], kernelSize, normalizeKernels ? 4 : 1, normalizeKernels);
  }

  apply(x: HostArray): HostArray {
    const shape = spatialShape("SobelGradients", x);
    const { spatialAxes, normalizeGradients } = this.options;
    const list = spatialAxes === null ? shape.map((_, axis) => axis) : [spatialAxes].flat();
    const axes = list.map((axis) => {
      if (typeof axis !== "number")
        throw new ConfigError(`SobelGradients: spatialAxes must be numbers, got ${JSON.stringify(axis)}`);
      return arrayAxis("SobelGradients", axis, x);
    });
    const image = workingCopy(x.data);
    const out =
      image instanceof Float64Array ? new Float64Array(image.length * axes.length) : new Float32Array(image.length * axes.length);
    axes.forEach((axis, k) => {
      let gradient: Float64Array = new Float64Array(image);
      for (let a = 1; a <= shape.length; a++)
        gradient = filterAxis(gradient, x.shape, a, a === axis ? this.kernelDiff : this.kernelSmooth, this.edges);
      if (normalizeGradients) toUnitRange(gradient);
      out.set(gradient, k * image.length);
    });
    return { ...x, data: out, shape: [axes.length * x.shape[0], ...shape] };
  }
}

/** A kernel of 3 smoothed by (1, 2, 1) until it has `size` elements. */
function widened(start: readonly number[], size: number, divisor: number, normalize: boolean): Float64Array {
  let kernel = start.map((v) => v / divisor);
  const smooth = [1, 2, 1].map((v) => (normalize ? v / 4 : v));
  while (kernel.length < size) {
    const wider = new Array<number>(kernel.length + 2).fill(0);
    kernel.forEach((v, i) => smooth.forEach((s, j) => (wider[i + j] += v * s)));
    kernel = wider;
  }
  return Float64Array.from(kernel);
}

/** Correlation with a kernel along one axis. */
function filterAxis(
  data: Float64Array,
  shape: readonly number[],
  axis: number,
  kernel: Float64Array,
  edges: EdgeMode,
): Float64Array {
  const size = shape[axis];
  const step = sizeOf(shape.slice(axis + 1));
  const reach = kernel.length >> 1;
  const from = edgeIndices(edges, -reach, size + 2 * reach, size);
  const out = new Float64Array(data.length);
  for (let block = 0; block < data.length; block += size * step) {
    for (let i = 0; i < size; i++) {
      for (let k = 0; k < kernel.length; k++) {
        const at = from[i + k];
        if (at < 0) continue;
        for (let j = 0, a = block + at * step, to = block + i * step; j < step; j++) out[to + j] += kernel[k] * data[a + j];
      }
    }
  }
  return out;
}

/** To 0 … 1 in place; an image of one value above 0 becomes 1. */
function toUnitRange(data: Float64Array): void {
  const { min, max } = extent(data);
  const low = min === max ? 0 : min;
  const range = max - low;
  for (let i = 0; i < data.length; i++) data[i] = (data[i] - low) / (range > 0 ? range : 1);
}
