/**
 * @file nnU-Net's other resampling to a shape, `resample_torch_fornnunet`: linear interpolation as torch.nn.functional.interpolate has it, the nearest
 * slice along thick ones, and label maps by the label of the largest share. Arrays are `[C, x, y, z]`.
 */

import { expectKinds } from "../../host/kinds.ts";
import { expectOptions } from "../../host/options.ts";
import { type HostArray, sizeOf, type TypedArray } from "../../host/array.ts";
import { ConfigError, ShapeError } from "../../host/errors.ts";
import { resizeBy, type ResizeMode } from "../transforms/spatial/resize.ts";
import { determineDoSepZAndAxis } from "./resample.ts";

/** How `resampleTorchForNnunet` resamples; names and defaults are nnU-Net's. */
export interface ResampleTorchOptions {
  /** Whether the values are labels; default false. */
  readonly isSeg?: boolean;
  /** null (default): by the spacings. */
  readonly forceSeparateZ?: boolean | null;
  /** Default 3. */
  readonly separateZAnisotropyThreshold?: number;
  /** Labels where their share is above one half, and 0 where none is. Default false: the label of the largest share. */
  readonly memefficientSegResampling?: boolean;
  /** In the plane of thick slices; volumes are always resampled linearly. Default "linear". */
  readonly mode?: "linear" | "nearest" | "nearest-exact" | "area" | "bicubic";
  /** Along thick slices. Default "nearest-exact". */
  readonly anisoAxisMode?: "nearest" | "nearest-exact" | "area" | "linear";
}

const modes = ["linear", "nearest", "nearest-exact", "area", "bicubic"];

/**
 * An image or label map at another size. nnU-Net's `resample_torch_fornnunet`.
 * @param x `[C, x, y, z]`; spacings are in mm per axis
 * @returns float32 of an image, int8 or int16 of labels; `x` itself where nothing changes
 * @throws ShapeError for other ranks, ConfigError for an unknown mode or option
 * @param newShape voxels per spatial axis of the result; `currentSpacing` and `newSpacing` only decide which axis is resampled on its own
 */
export function resampleTorchForNnunet(
  x: HostArray,
  newShape: readonly number[],
  currentSpacing: readonly number[],
  newSpacing: readonly number[],
  options: ResampleTorchOptions = {},
): HostArray {
  expectOptions(
    "resampleTorchForNnunet",
    options,
    "isSeg:boolean forceSeparateZ:boolean? separateZAnisotropyThreshold:number memefficientSegResampling:boolean mode anisoAxisMode",
  );
  expectKinds("resampleTorchForNnunet", { array: { x }, numbers: { newShape, currentSpacing, newSpacing } });
  const { isSeg = false, memefficientSegResampling = false, mode = "linear", anisoAxisMode = "nearest-exact" } = options;
  const { forceSeparateZ = null, separateZAnisotropyThreshold } = options;
  for (const name of [mode, anisoAxisMode]) {
    if (!modes.includes(name))
      throw new ConfigError(`resampleTorchForNnunet: unknown mode "${String(name)}"; known are ${modes.join(", ")}`);
  }
  if (x.shape.length !== 4 || newShape.length !== 3)
    throw new ShapeError(`resampleTorchForNnunet: got [${x.shape}] to [${newShape}]; expected [C, x, y, z] and three sizes`);
  const { axis } = determineDoSepZAndAxis(forceSeparateZ, currentSpacing, newSpacing, separateZAnisotropyThreshold);
  const resize = (size: readonly number[], by: ResizeMode, from: HostArray): HostArray =>
    isSeg ? resizeLabels(from, size, by, memefficientSegResampling) : resizeImage(from, size, by);
  if (axis === null) return resize(newShape, "linear", x);
  const inPlane = newShape.map((n, a) => (a === axis ? x.shape[a + 1] : n));
  return resize(newShape, anisoAxisMode, resize(inPlane, mode, x));
}

const same = (x: HostArray, size: readonly number[]): boolean => size.every((n, a) => n === x.shape[a + 1]);

function resizeImage(x: HostArray, size: readonly number[], mode: ResizeMode): HostArray {
  if (same(x, size)) return x;
  const { data, shape } = resizeBy("resampleTorchForNnunet", x, size, mode, false);
  return { data: data instanceof Float32Array ? data : Float32Array.from(data), shape };
}

/** Shares of labels are compared as half floats of thousandths, as in nnU-Net; of equal ones the lowest label wins. */
function resizeLabels(x: HostArray, size: readonly number[], mode: ResizeMode, aboveHalf: boolean): HostArray {
  if (same(x, size)) return x;
  const labels = [...new Set(x.data)].sort((a, b) => a - b);
  const voxels = x.shape[0] * sizeOf(size);
  const out = new (labels.some((v) => v >= 127) ? Int16Array : Int8Array)(voxels);
  const best = new Float32Array(aboveHalf ? 0 : voxels).fill(-1);
  const mask = new Float32Array(x.data.length);
  for (const label of labels) {
    markEqual(x.data, label, aboveHalf ? 1 : 1000, mask);
    const { data: share } = resizeBy("resampleTorchForNnunet", { data: mask, shape: x.shape }, size, mode, false);
    for (let i = 0; i < voxels; i++) {
      if (aboveHalf) {
        if (share[i] > 0.5) out[i] = label;
        continue;
      }
      const half = Math.f16round(share[i]);
      if (half <= best[i]) continue;
      best[i] = half;
      out[i] = label;
    }
  }
  return { data: out, shape: [x.shape[0], ...size] };
}

function markEqual(data: TypedArray, label: number, weight: number, out: Float32Array): void {
  for (let i = 0; i < data.length; i++) out[i] = Number(data[i] === label) * weight;
}
