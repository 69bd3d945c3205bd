/** @file What the transforms that resample have in common: options, and a volume sampled at the places that a matrix gives. */
import { ConfigError } from "../../../host/errors.ts";
import type { HostArray } from "../../../host/array.ts";
import type { Matrix } from "../../../host/matrix.ts";
import type { Affine } from "../../volume.ts";
import { moved } from "../moved.ts";
import { withAlignedCorners } from "./affine_matrix.ts";
import { type Precision, type TorchPlaces, torchPlaces } from "./torch_places.ts";
import { checkSampling, isNearest, sampleAffine, type SampleMode, type SampleOptions, type SamplePadding } from "./sample.ts";

/** How values between voxels and outside of the image are found. */
export interface ResampleOptions {
  /** Default "bilinear"; a number is the order of a spline as in SciPy. Labels of `onKeys` get "nearest" in place of modes that mix voxels. */
  readonly mode?: SampleMode;
  /** Outside of the image: PyTorch's names; with a spline order also those of scipy.ndimage. */
  readonly paddingMode?: SamplePadding;
  /** Corner voxels, in place of outer faces, onto each other. Default false. */
  readonly alignCorners?: boolean;
}

/** Names of `ResampleOptions`. */
export const resampleOptionNames = "mode paddingMode alignCorners:boolean";

/** The same where MONAI has a choice of the type that places are computed in. */
export interface PreciseResampleOptions extends ResampleOptions {
  /** By it places halfway between voxels go to the one or the other. Default "float64" of what goes by the image's affine, else "float32", as MONAI's. */
  readonly dtype?: "float32" | "float64";
}

/** Names of `PreciseResampleOptions`. */
export const preciseOptionNames = `${resampleOptionNames} dtype:text`;

/** @throws ConfigError for unknown modes and types */
export function checkResampling(op: string, options: PreciseResampleOptions): void {
  checkSampling(op, options);
  const { dtype = "float32" } = options as { readonly dtype?: string };
  if (dtype !== "float32" && dtype !== "float64")
    throw new ConfigError(`${op}: dtype must be "float32" or "float64", got ${JSON.stringify(dtype)}`);
}

/** The options for a label map: a mode that mixes voxels becomes nearest, since a mixture of class numbers is no class. */
export const labelSampling = <O extends Pick<ResampleOptions, "mode">>(options: O): O & { readonly mode: SampleMode } => ({
  ...options,
  mode: options.mode !== undefined && isNearest(options.mode) ? options.mode : "nearest",
});

/**
 * `x` on a grid of `size`, whose voxel o is at `matrix` · o of `x`; a volume keeps its place in space.
 * @param halves who says where places halfway between voxels go, or in what MONAI computes them, where it does so by `AffineTransform`
 */
export function resampled(
  name: string,
  x: HostArray,
  size: readonly number[],
  matrix: Matrix,
  { mode = "bilinear", paddingMode = "border", alignCorners = false }: ResampleOptions,
  halves?: Precision | TorchPlaces,
): HostArray {
  const places = alignCorners ? withAlignedCorners(matrix, x.shape.slice(1), size) : matrix;
  const inTorch = () => (alignCorners ? undefined : torchPlaces(x.shape.slice(1), size, matrix, halves as Precision));
  const torch = typeof halves === "string" ? (x.shape.length > 2 ? inTorch() : undefined) : halves;
  const options: SampleOptions = { mode, paddingMode, alignCorners, torch };
  const out = sampleAffine(x, size, places, options, name);
  const outside = paddingMode === "zeros" || paddingMode === "reflection" ? { outside: paddingMode } : {};
  return moved(name, x, out, matrix, { kind: "resample", matrix: places as Affine, nearest: isNearest(mode), ...outside });
}
