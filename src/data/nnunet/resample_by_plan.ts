/** @file The resampling functions that plans name, each with the options that plans give it. */

import { ConfigError } from "../../host/errors.ts";
import type { HostArray } from "../../host/array.ts";
import { roundToHalf } from "../../host/rounding.ts";
import { resampleDataOrSegToShape } from "./resample.ts";
import { resampleTorchForNnunet } from "./resample_torch.ts";

type Resample = (
  x: HostArray,
  shape: readonly number[],
  spacing: readonly number[],
  newSpacing: readonly number[],
  options: object,
) => HostArray;

/** Of the options of a plan's functions: what is given by the call, and what does not change the result. */
const withoutEffect = ["num_threads", "device"];

const splines: Readonly<Record<string, string>> = {
  is_seg: "isSeg",
  order: "order",
  order_z: "orderZ",
  force_separate_z: "forceSeparateZ",
  separate_z_anisotropy_threshold: "separateZAnisotropyThreshold",
};

const torch: Readonly<Record<string, string>> = {
  is_seg: "isSeg",
  force_separate_z: "forceSeparateZ",
  separate_z_anisotropy_threshold: "separateZAnisotropyThreshold",
  memefficient_seg_resampling: "memefficientSegResampling",
  mode: "mode",
  aniso_axis_mode: "anisoAxisMode",
};

interface Resampler {
  readonly run: Resample;
  /** Names of the options in plans, and here. */
  readonly names: Readonly<Record<string, string>>;
  /** Whether what it gives has the type of what it was given: half floats of logits. */
  readonly keepsType?: boolean;
}

/** By the names in plans. */
const resamplers: Readonly<Record<string, Resampler>> = {
  resample_data_or_seg_to_shape: { run: resampleDataOrSegToShape, names: splines, keepsType: true },
  resample_torch_fornnunet: { run: resampleTorchForNnunet, names: torch },
  no_resampling_hack: { run: (x) => x, names: splines },
};

/**
 * Resamples logits `[C, …]` that are half floats, as nnU-Net has them between tiles and labels: by the numpy functions they come out as halves too, by torch's
 * as float32. By the function that a plan calls `name` with its options `kwargs`, from `spacing` to `newSpacing` (mm per axis), to `newShape` voxels per spatial
 * axis. @throws ConfigError for a function or option that is not known
 */
export function resampleLogitsByPlan(
  name: string,
  kwargs: Readonly<Record<string, unknown>>,
  x: HostArray<Float32Array>,
  newShape: readonly number[],
  spacing: readonly number[],
  newSpacing: readonly number[],
): HostArray<Float32Array> {
  const { data, shape } = resampleByPlan(name, kwargs, x, newShape, spacing, newSpacing);
  const out = data instanceof Float32Array ? data : Float32Array.from(data);
  // What was not resampled is the caller's, and halves already.
  if (resamplers[name].keepsType && out !== x.data) roundToHalf(out);
  return { data: out, shape };
}

/**
 * Resamples `[C, …]`, spacings in mm per axis, by the name and the options that a plan gives. From `spacing` to `newSpacing`, to `newShape` voxels per
 * spatial axis; `kwargs` are the options. @throws ConfigError for a function or option that is not known
 */
export function resampleByPlan(
  name: string,
  kwargs: Readonly<Record<string, unknown>>,
  x: HostArray,
  newShape: readonly number[],
  spacing: readonly number[],
  newSpacing: readonly number[],
): HostArray {
  const found = Object.hasOwn(resamplers, name) ? resamplers[name] : undefined;
  if (!found)
    throw new ConfigError(`preprocessCase: the plan resamples by "${name}"; known are ${Object.keys(resamplers).join(", ")}`);
  const options: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(kwargs)) {
    if (withoutEffect.includes(key)) continue;
    const option = Object.hasOwn(found.names, key) ? found.names[key] : undefined;
    if (!option)
      throw new ConfigError(
        `preprocessCase: unknown option "${key}" of ${name}; known are ${Object.keys(found.names).join(", ")}`,
      );
    options[option] = value;
  }
  return found.run(x, newShape, spacing, newSpacing, options);
}
