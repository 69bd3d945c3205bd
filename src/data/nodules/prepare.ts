/** @file A scan made ready for training on nodules: windowed to bytes, isotropic, with masks and boxes of its nodules. */

import { expectKinds } from "../../host/kinds.ts";
import { expectOptions } from "../../host/options.ts";
import { sizeOf, type TypedArray } from "../../host/array.ts";
import { ConfigError } from "../../host/errors.ts";
import { roundHalfEven } from "../../host/rounding.ts";
import { resampleAxes, zoomPositions } from "../../host/spline.ts";
import { inMillimeters, makeVolume, type Volume } from "../volume.ts";
import { type Nodule, toVoxel } from "./annotations.ts";

/** How scans are cleaned. */
export interface PrepareNodulesOptions {
  /** Voxel edge in mm; default 1. */
  readonly spacing?: number;
  /** Hounsfield units that become 0 and 255; default −1200 and 600. */
  readonly window?: readonly [low: number, high: number];
}

/** A nodule in voxels of the prepared scan. */
export interface NoduleBox {
  /** Axes x, y, z of the volume. */
  readonly center: readonly [number, number, number];
  /** In voxels. */
  readonly radius: number;
  /** First and last + 1 voxel per axis, within the volume. */
  readonly box: readonly (readonly [number, number])[];
}

/** A prepared scan. */
export interface PreparedScan {
  /** `[1, nx, ny, nz]` bytes. */
  readonly image: Volume<Uint8Array>;
  /** Those of the scan, in voxels of the image. */
  readonly nodules: readonly NoduleBox[];
}

/**
 * Resamples linearly, windows, and finds the nodules' boxes. Nodules whose center is outside the scan are an error of the list.
 * @param scan Hounsfield units `[1, nx, ny, nz]`
 * @throws ConfigError for options out of range, several channels, and a nodule outside the scan
 */
export function prepareScan(scan: Volume, nodules: readonly Nodule[], options: PrepareNodulesOptions = {}): PreparedScan {
  expectOptions("prepareScan", options, "spacing:spread window:numbers");
  expectKinds("prepareScan", { volume: { scan }, objects: { nodules } });
  const { spacing = 1, window = [-1200, 600] } = options;
  const [low, high] = window;
  const name = scan.meta.source ?? "the scan";
  if (!(spacing > 0)) throw new ConfigError(`prepareScan: spacing is ${spacing}; expected millimeters above 0`);
  if (!(low < high)) throw new ConfigError(`prepareScan: window is [${window}]; expected two numbers, the lower first`);
  if (scan.shape[0] !== 1) throw new ConfigError(`prepareScan: ${name} has ${scan.shape[0]} channels; expected one`);
  const size = scan.shape.slice(1);
  const place = inMillimeters(scan);
  const newSize = size.map((n, a) => Math.max(1, roundHalfEven((n * place.spacing[a]) / spacing)));
  const same = newSize.every((n, a) => n === size[a]);
  const positions = size.map((n, a) => (n === newSize[a] ? undefined : zoomPositions(n, newSize[a])));
  // Scans are large: one that keeps its grid is not copied on the way.
  const data = same ? scan.data : resampleAxes({ data: scan.data, shape: size }, positions, { order: 1, mode: "nearest" }).data;
  const image = makeVolume(
    { data: windowed(data, low, high), shape: [1, ...newSize] },
    same ? place.affine : resizedAffine({ affine: place.affine, shape: scan.shape }, newSize),
    { ...scan.meta, ...(scan.units && { units: "mm" as const }) },
  );
  return { image, nodules: nodules.map((nodule) => boxOf(image, nodule, spacing, name)) };
}

/** Values as bytes, `low` being 0 and `high` 255; bytes that are windowed already stay as they are. */
function windowed(data: TypedArray, low: number, high: number): Uint8Array<ArrayBuffer> {
  if (data instanceof Uint8Array && low === 0 && high === 255) return data as Uint8Array<ArrayBuffer>;
  const bytes = new Uint8Array(data.length);
  for (let i = 0; i < bytes.length; i++)
    bytes[i] = Math.round((255 * (Math.min(high, Math.max(low, data[i])) - low)) / (high - low));
  return bytes;
}

/** The affine of a volume resized with its outer borders in place. */
function resizedAffine({ affine, shape }: Pick<Volume, "affine" | "shape">, newSize: readonly number[]): number[][] {
  const factor = newSize.map((n, a) => shape[a + 1] / n);
  return affine.map((row, r) =>
    r === 3
      ? [...row]
      : [...factor.map((f, a) => row[a] * f), row[3] + factor.reduce((sum, f, a) => sum + row[a] * (0.5 * f - 0.5), 0)],
  );
}

function boxOf(image: Volume, nodule: Nodule, spacing: number, name: string): NoduleBox {
  const center = toVoxel(image.affine, nodule.center);
  const size = image.shape.slice(1);
  if (center.some((c, a) => !(c > -1 && c < size[a])))
    throw new ConfigError(
      `prepareScan: a nodule at [${nodule.center}] mm lies outside ${name} (voxel [${center.map((c) => c.toFixed(1))}] of [${size}]); is the list that of this scan?`,
    );
  const radius = nodule.diameter / 2 / spacing;
  const box = center.map((c, a) => [Math.max(0, Math.floor(c - radius)), Math.min(size[a], Math.ceil(c + radius) + 1)] as const);
  return { center, radius, box };
}

/**
 * The balls of nodules in a part of a volume: 1 inside, 0 outside. `size` is the part's, in voxels; of this shape is the result. @param start first voxel
 * of the part per axis
 */
export function noduleMask(nodules: readonly NoduleBox[], start: readonly number[], size: readonly number[]): Uint8Array {
  expectKinds("noduleMask", { objects: { nodules }, numbers: { start, size } });
  const out = new Uint8Array(sizeOf(size));
  for (const { center, radius, box } of nodules) {
    const low = box.map(([from], a) => Math.max(0, from - start[a]));
    const high = box.map(([, to], a) => Math.min(size[a], to - start[a]));
    // The voxel at the center belongs to the smallest nodule too.
    const reach = Math.max(radius, 0.87) ** 2;
    for (let i = low[0]; i < high[0]; i++) {
      for (let j = low[1]; j < high[1]; j++) {
        const plane = (i + start[0] - center[0]) ** 2 + (j + start[1] - center[1]) ** 2;
        for (let k = low[2]; k < high[2]; k++) {
          if (plane + (k + start[2] - center[2]) ** 2 <= reach) out[(i * size[1] + j) * size[2] + k] = 1;
        }
      }
    }
  }
  return out;
}
