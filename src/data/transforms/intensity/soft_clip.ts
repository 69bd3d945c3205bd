/** @file Clipping without a corner: `softClip`. */
import { expectArguments } from "../../../host/kinds.ts";
import type { HostArray } from "../../../host/array.ts";
import { allOptions } from "../options.ts";
import { ConfigError } from "../../../host/errors.ts";
import { exp, exponentialTables, log1pOfUnit } from "../../../host/powers.ts";
import { changed, lanesOf } from "../../../host/simd/chunks.ts";
import { softClip as softClipKernel } from "../../../host/simd/exponential.ts";
import { places } from "../../../host/simd/places.ts";
import { workingCopy } from "../shape/cast.ts";
import { finish, type Floats } from "./arithmetic.ts";
import type { OutputType } from "./scale.ts";

/** Where `softClip` clips, and how sharply. */
export interface SoftClipOptions extends OutputType {
  /** 1 / the width of the bend; higher is nearer to hard clipping. Default 1. */
  readonly sharpnessFactor?: number;
  /** Lower end. Default null: open. */
  readonly minv?: number | null;
  /** Upper end. Default null: open. */
  readonly maxv?: number | null;
}

/**
 * x + softplus(−s(x − minv)) / s − softplus(s(x − maxv)) / s, which goes over from the ends to x smoothly. MONAI's `soft_clip`.
 * @param x of any shape
 * @throws ConfigError for a sharpness of 0 or below, an unknown option or `dtype`
 */
export function softClip(x: HostArray, options: SoftClipOptions = {}): HostArray {
  const defaults = { sharpnessFactor: 1, minv: null, maxv: null, dtype: "float32" } as const;
  const { sharpnessFactor, minv, maxv, dtype } = allOptions(
    "softClip",
    options,
    "sharpnessFactor:number minv:number maxv:number dtype:text",
    defaults,
  );
  expectArguments("softClip", "array", { x });
  if (!(sharpnessFactor > 0)) throw new ConfigError(`softClip: sharpnessFactor must be above 0, got ${sharpnessFactor}`);
  const data = workingCopy(x.data);
  clipSoftly(data, sharpnessFactor, minv, maxv);
  return finish("softClip", data, x, dtype);
}

const lanesFor = /* @__PURE__ */ lanesOf({ softClip: softClipKernel });

/** `softClip` in place; null leaves an end open. */
export function clipSoftly(data: Floats, s: number, low: number | null, high: number | null): void {
  const lanes = data instanceof Float32Array && low !== null && high !== null ? lanesFor(data.length) : undefined;
  if (lanes) {
    exponentialTables(lanes);
    const { kernels } = lanes;
    return changed(lanes, data as Float32Array, data as Float32Array, (end) =>
      kernels.softClip(places.first, end, s, low!, high!),
    );
  }
  for (let i = 0; i < data.length; i++) {
    const v = data[i];
    const below = low === null ? 0 : softplus(-s * (v - low)) / s;
    const above = high === null ? 0 : softplus(s * (v - high)) / s;
    data[i] = v + below - above;
  }
}

/** log(1 + e^v) without overflow. */
function softplus(v: number): number {
  // Beyond this the other term is below a float64's last digit.
  if (v > 37 || v < -37) return v > 0 ? v : 0;
  return Math.max(v, 0) + log1pOfUnit(exp(-Math.abs(v)));
}
