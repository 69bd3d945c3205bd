/** @file A scan made ready for training on nodules: windowed to bytes, isotropic, with masks and boxes of its nodules. */

import { expectKinds } from "../../host/kinds.ts";
import { expectOptions } from "../../host/options.ts";
import { sizeOf, type TypedArray } from "../../host/array.ts";
import { ConfigError } from "../../host/errors.ts";
import { roundHalfEven } from "../../host/rounding.ts";
import { resampleAxes, zoomPositions } from "../../host/spline.ts";
import { inverseOf } from "../../host/matrix.ts";
import { type Affine, inMillimeters, makeVolume, spacingOf, type Volume } from "../volume.ts";
import { type Nodule, toVoxel } from "./annotations.ts";

const cubes: Affine = [
  [1, 0, 0, 0],
  [0, 1, 0, 0],
  [0, 0, 1, 0],
  [0, 0, 0, 1],
];

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
  return { image, nodules: nodules.map((nodule) => boxOf(image, nodule, name)) };
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

/** Mean edge of a voxel, which is what a radius in voxels counts. */
export const voxelEdge = (affine: Affine): number => Math.cbrt(spacingOf(affine).reduce((product, s) => product * s, 1));

/** The steps of the three axes in mean edges: what voxels are in space. Rounded, so that those of a turned grid are exactly at right angles. */
function stepsOf(affine: Affine): { readonly dot: (a: number, b: number) => number; readonly reach: readonly number[] } {
  const edge = voxelEdge(affine);
  const steps = affine.map((row, r) => row.map((v, a) => (r < 3 && a < 3 ? v / edge : Number(r === a))));
  const rounded = (v: number) => Math.round(v * 1e9) / 1e9;
  return {
    dot: (a, b) => rounded(steps.slice(0, 3).reduce((sum, row) => sum + row[a] * row[b], 0)),
    // How far along an axis a ball of radius 1 reaches: planes of voxels are closer than their centers where axes are not at right angles.
    reach: inverseOf(steps)!
      .slice(0, 3)
      .map(([u, v, w]) => rounded(Math.hypot(u, v, w))),
  };
}

function boxOf(image: Volume, nodule: Nodule, name: string): NoduleBox {
  const center = toVoxel(image.affine, nodule.center);
  const size = image.shape.slice(1);
  if (center.some((c, a) => !(c > -1 && c < size[a])))
    throw new ConfigError(
      `prepareScan: a nodule at [${nodule.center}] mm lies outside ${name} (voxel [${center.map((c) => c.toFixed(1))}] of [${size}]); is the list that of this scan?`,
    );
  const radius = nodule.diameter / 2 / voxelEdge(image.affine);
  const { reach } = stepsOf(image.affine);
  const box = center.map((c, a) => {
    const far = radius * reach[a];
    return [Math.max(0, Math.floor(c - far)), Math.min(size[a], Math.ceil(c + far) + 1)] as const;
  });
  return { center, radius, box };
}

/**
 * The balls of nodules in a part of a volume: 1 inside, 0 outside. `size` is the part's, in voxels; of this shape is the result. They are balls in
 * space, which on a sheared grid, as of a tilted gantry, are none in voxels.
 * @param start first voxel of the part per axis
 * @param affine of the volume; default voxels that are cubes
 */
export function noduleMask(
  nodules: readonly NoduleBox[],
  start: readonly number[],
  size: readonly number[],
  affine: Affine = cubes,
): Uint8Array {
  expectKinds("noduleMask", { objects: { nodules }, numbers: { start, size }, affine: { affine } });
  const out = new Uint8Array(sizeOf(size));
  const { dot } = stepsOf(affine);
  const [xx, yy, zz, xy, xz, yz] = [dot(0, 0), dot(1, 1), dot(2, 2), 2 * dot(0, 1), 2 * dot(0, 2), 2 * dot(1, 2)];
  for (const { center, radius, box } of nodules) {
    const low = box.map(([from], a) => Math.max(0, from - start[a]));
    const high = box.map(([, to], a) => Math.min(size[a], to - start[a]));
    // The voxel at the center belongs to the smallest nodule too.
    const reach = Math.max(radius, 0.87) ** 2;
    for (let i = low[0]; i < high[0]; i++) {
      const x = i + start[0] - center[0];
      for (let j = low[1]; j < high[1]; j++) {
        const y = j + start[1] - center[1];
        const plane = xx * x * x + yy * y * y + xy * x * y;
        const slope = xz * x + yz * y;
        for (let k = low[2]; k < high[2]; k++) {
          const z = k + start[2] - center[2];
          if (plane + slope * z + zz * z * z <= reach) out[(i * size[1] + j) * size[2] + k] = 1;
        }
      }
    }
  }
  return out;
}
