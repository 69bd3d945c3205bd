/** @file Filters by name or kernel: `ImageFilter`, `RandImageFilter`. */
import { expectWord } from "../../../host/words.ts";
import { expectArguments } from "../../../host/kinds.ts";
import { ConfigError } from "../../../host/errors.ts";
import { type HostArray, sizeOf } from "../../../host/array.ts";
import { required } from "../../../host/defaults.ts";
import { filterAxis, filterNd } from "../../../host/filter.ts";
import { type GaussianApprox, gaussianWeights } from "../../../host/gaussian.ts";
import { medianFilter } from "../../../host/median_filter.ts";
import { spatialShape } from "../../../host/strided.ts";
import { unfilledFloats } from "../../../host/unfilled.ts";
import { channels } from "../intensity/arithmetic.ts";
import { savitzkyEdges, SavitzkyGolaySmooth, type SavitzkyGolaySmoothOptions } from "../intensity/smooth.ts";
import { sobelPaddings, SobelGradients, type SobelGradientsOptions } from "../post/sobel_gradients.ts";
import { MaybeTransform, type Transform } from "../transform.ts";
import { allOptions } from "../options.ts";

/** Options that only some of the filters read. */
export interface FilterArguments extends Omit<SobelGradientsOptions, "kernelSize"> {
  /** "gauss": standard deviation in voxels, one or per spatial axis; needed. */
  readonly sigma?: number | readonly number[] | null;
  /** "gauss": where the weights are cut, in sigmas. Default 4. */
  readonly truncated?: number;
  /** "gauss": how the Gaussian becomes weights. Default "erf". */
  readonly approx?: GaussianApprox;
  /** "savitzky_golay": degree of the polynomial; needed. */
  readonly order?: number | null;
  /** "savitzky_golay": axis, counted from 2 for the first spatial one, as MONAI's filter has it. Default 2. */
  readonly axis?: number;
  /** "savitzky_golay": what stands beyond the ends. Default "zeros". */
  readonly mode?: SavitzkyGolaySmoothOptions["mode"];
}

/** The filter of `ImageFilter`. */
export interface ImageFilterOptions extends FilterArguments {
  /**
   * A name, a kernel of odd sizes with as many axes as the image has spatial ones (or one more: a kernel per channel), or a transform. A kernel is
   * `[…sizes]` or `[C, …sizes]`.
   */
  readonly filter: FilterName | HostArray | Transform;
  /** Odd size along every axis; needed with all names but "gauss". */
  readonly filterSize?: number | null;
}

type All = Required<ImageFilterOptions> & { readonly size: number };

/** The filters by name. */
const filters = {
  elliptical: (x: HostArray, { size }: All) => withKernel(x, ellipse(x, size)),
  gauss,
  laplace: (x: HostArray, { size }: All) => {
    const kernel = box(x, size, -1);
    kernel.data[kernel.data.length >> 1] = kernel.data.length - 1;
    return withKernel(x, kernel);
  },
  mean: (x: HostArray, { size }: All) => {
    const ones = new Float64Array(size).fill(1);
    let data = asFloats(x);
    spatialShape("ImageFilter", x).forEach((_, a) => (data = filterAxis(data, x.shape, a + 1, ones)));
    return { ...x, data };
  },
  median: (x: HostArray, { size }: All) => {
    const radius = spatialShape("ImageFilter", x).map(() => size >> 1);
    return { ...x, data: medianFilter(new Float32Array(x.data as ArrayLike<number>), x.shape, radius) };
  },
  savitzky_golay: (x: HostArray, { size, order, axis, mode }: All) =>
    new SavitzkyGolaySmooth({ windowLength: size, order: order!, axis: axis - 1, mode }).apply(x),
  sharpen: (x: HostArray, { size }: All) => {
    const kernel = ellipse(x, size);
    const total = kernel.data.reduce((a, v) => a + v, 0);
    for (let i = 0; i < kernel.data.length; i++) kernel.data[i] = -kernel.data[i];
    kernel.data[kernel.data.length >> 1] = total;
    return withKernel(x, kernel);
  },
  sobel: (x: HostArray, { size, spatialAxes, normalizeKernels, normalizeGradients, paddingMode, dtype }: All) =>
    new SobelGradients({
      kernelSize: size,
      spatialAxes,
      normalizeKernels,
      normalizeGradients,
      paddingMode,
      dtype,
    }).apply(x),
} as const;

/** What `ImageFilter` knows by name. */
export type FilterName = keyof typeof filters;

const box = (x: HostArray, size: number, value: number): HostArray<Float64Array> => {
  const shape = spatialShape("ImageFilter", x).map(() => size);
  return { data: new Float64Array(sizeOf(shape)).fill(value), shape };
};

/** 1 up to half the size away from the middle. */
function ellipse(x: HostArray, size: number): HostArray<Float64Array> {
  const kernel = box(x, size, 0);
  const radius = size >> 1;
  for (let i = 0; i < kernel.data.length; i++) {
    let squares = 0;
    for (let a = 0, rest = i; a < kernel.shape.length; a++, rest = Math.floor(rest / size))
      squares += ((rest % size) - radius) ** 2;
    kernel.data[i] = squares <= radius ** 2 ? 1 : 0;
  }
  return kernel;
}

/** Of the image itself where it is that; what is filtered is another. */
const asFloats = ({ data }: HostArray): Float32Array =>
  data instanceof Float32Array ? data : new Float32Array(data as ArrayLike<number>);

function gauss(x: HostArray, { sigma, truncated, approx }: All): HostArray {
  let data = asFloats(x);
  spatialShape("ImageFilter", x).forEach((_, a) => {
    const weights = gaussianWeights("ImageFilter", typeof sigma === "number" ? sigma : sigma![a], approx, truncated);
    data = filterAxis(data, x.shape, a + 1, weights);
  });
  return { ...x, data };
}

function withKernel(x: HostArray, kernel: HostArray): HostArray {
  const spatial = spatialShape("ImageFilter", x);
  const data = asFloats(x);
  const own = kernel.shape.length === spatial.length + 1;
  if ((!own && kernel.shape.length !== spatial.length) || (own && kernel.shape[0] !== 1 && kernel.shape[0] !== x.shape[0])) {
    throw new ConfigError(
      `ImageFilter: a kernel of shape [${kernel.shape.join(", ")}] does not fit an image of shape [${x.shape.join(", ")}]; it needs ${spatial.length} axes, or one more for the channels`,
    );
  }
  if (!own) return { ...x, data: filterNd(data, x.shape, kernel.data, kernel.shape) };
  const kernels = channels(kernel.data, kernel.shape[0]);
  const out = unfilledFloats(data.length);
  channels(data, x.shape[0]).forEach((part, c) => {
    out.set(filterNd(part, spatial, kernels[c % kernels.length], kernel.shape.slice(1)), c * part.length);
  });
  return { ...x, data: out };
}

/**
 * Filters every channel: "mean" (the sum over a box), "laplace" (the center against its box), "elliptical" (the sum over a ball), "sobel", "sharpen",
 * "median", "gauss", "savitzky_golay", a kernel (correlation, zeros outside) or a transform. Float32. MONAI's `ImageFilter`.
 *
 * Shapes: `[C, …]` → `[C, …]`; "sobel" gives the channels once per axis.
 * Geometry: kept.
 * @throws ConfigError for an unknown name, an even size, a missing size, sigma or order, a kernel with even sizes or of another number of axes, and an
 *   unknown option
 */
export class ImageFilter implements Transform {
  private readonly options: All;

  constructor(options: ImageFilterOptions) {
    const all = allOptions(
      "ImageFilter",
      options,
      "filter filterSize:number sigma:sizes truncated:number approx:text order:number axis:number mode:text spatialAxes:sizes normalizeKernels:boolean normalizeGradients:boolean paddingMode:text dtype:text",
      {
        filter: required,
        filterSize: null,
        sigma: null,
        truncated: 4,
        approx: "erf",
        order: null,
        axis: 2,
        mode: "zeros",
        spatialAxes: null,
        normalizeKernels: true,
        normalizeGradients: false,
        paddingMode: "reflect",
        dtype: "float32",
      },
    );
    const { filter, filterSize, sigma, order, mode, paddingMode } = all;
    // Null is none here too, for a filter that asks for neither.
    expectWord("ImageFilter", "mode", mode ?? "zeros", savitzkyEdges);
    expectWord("ImageFilter", "paddingMode", paddingMode ?? "reflect", sobelPaddings);
    checkFilter(filter, filterSize);
    if (filter === "gauss" && sigma === null) throw new ConfigError('ImageFilter: the filter "gauss" needs sigma');
    if (filter === "savitzky_golay" && order === null)
      throw new ConfigError('ImageFilter: the filter "savitzky_golay" needs order');
    this.options = { ...all, size: filterSize ?? 0 };
  }

  apply(x: HostArray): HostArray {
    expectArguments("ImageFilter", "array", { x });
    const { filter } = this.options;
    if (typeof filter === "string") return filters[filter](x, this.options);
    if ("apply" in filter) return filter.apply(x) as HostArray;
    return withKernel(x, filter);
  }
}

function checkFilter(filter: ImageFilterOptions["filter"], filterSize: number | null): void {
  if (typeof filter === "string") {
    if (!Object.hasOwn(filters, filter))
      throw new ConfigError(`ImageFilter: unknown filter "${String(filter)}"; known are ${Object.keys(filters).join(", ")}`);
    if (filter !== "gauss" && !filterSize) throw new ConfigError(`ImageFilter: the filter "${filter}" needs filterSize`);
    if (filterSize && !(Number.isInteger(filterSize) && filterSize % 2 === 1))
      throw new ConfigError(`ImageFilter: filterSize must be odd, got ${filterSize}`);
    return;
  }
  if (typeof filter !== "object" || filter === null || !("apply" in filter || "data" in filter))
    throw new ConfigError(`ImageFilter: filter must be a name, a kernel or a transform, got ${typeof filter}`);
  if ("apply" in filter) return;
  if (filter.shape.length < 1 || filter.shape.length > 3 || filter.shape.some((s) => s % 2 === 0))
    throw new ConfigError(`ImageFilter: a kernel has one to three axes of odd sizes, got shape [${filter.shape.join(", ")}]`);
}

/** The filter of `RandImageFilter`. */
export interface RandImageFilterOptions extends ImageFilterOptions {
  /** Default 0.1. */
  readonly prob?: number;
}

/**
 * `ImageFilter` with probability `prob` (default 0.1). MONAI's `RandImageFilter`.
 *
 * Shapes: those of `ImageFilter`.
 * Geometry: kept.
 * Draws: `rand()` against `prob`.
 * @throws ConfigError for a `prob` outside 0 … 1 and what `ImageFilter` refuses
 */
export class RandImageFilter extends MaybeTransform {
  private readonly filter: ImageFilter;

  constructor(options: RandImageFilterOptions) {
    expectArguments("RandImageFilter", "object", { options });
    const { prob = 0.1, ...rest } = options;
    super("RandImageFilter", prob);
    this.filter = new ImageFilter(rest);
  }

  protected draw(): void {}
  protected act(x: HostArray): HostArray {
    return this.filter.apply(x);
  }
}
