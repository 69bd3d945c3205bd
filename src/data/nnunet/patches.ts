/**
 * @file nnU-Net's training patches: how large they are cut so that augmentation finds something at their corners, and where. After its
 * `nnUNetDataLoader` and `compute_initial_patch_size`.
 */

import { expectArguments, expectFields, expectKinds } from "../../host/kinds.ts";
import { type HostArray, sizeOf, type TypedArray } from "../../host/array.ts";
import { ConfigError } from "../../host/errors.ts";
import type { RandomSource } from "../../host/random/numpy.ts";
import { anisotropyThreshold } from "./resample.ts";

/** What nnU-Net derives from a patch's proportions. */
export interface PatchAugmentation {
  /** Range of angles in radians. */
  readonly rotation: readonly [number, number];
  /** Patches of thick slices are turned and scaled slice by slice, as images: axis 0 stays. */
  readonly dummy2d: boolean;
  /** What is cut; the middle of it is what the network sees. In voxels. */
  readonly initialPatchSize: readonly number[];
  /** Axes that are mirrored, in training and when predicting. */
  readonly mirrorAxes: readonly number[];
}

const degrees = Math.PI / 180;

// Not the range of the scaling itself, as upstream.
const smallestScale = 0.85;

/**
 * How patches of a size are augmented: ±30° about each axis, images and thick slices by ±180° in their plane, long images by ±15°.
 * @param patchSize two or three sizes
 * @throws ConfigError for another number of them
 */
export function patchGeometry(patchSize: readonly number[]): PatchAugmentation {
  expectArguments("patchGeometry", "numbers", { patchSize });
  const axes = patchSize.length;
  if (axes !== 2 && axes !== 3) throw new ConfigError(`patchGeometry: the patch is [${patchSize}]; expected two or three sizes`);
  const longest = Math.max(...patchSize);
  const dummy2d = axes === 3 && longest / patchSize[0] > anisotropyThreshold;
  const long = axes === 2 && longest / Math.min(...patchSize) > 1.5;
  const most = (long ? 15 : axes === 2 || dummy2d ? 180 : 30) * degrees;
  const initial = initialPatchSize(patchSize, most);
  if (dummy2d) initial[0] = patchSize[0];
  return { rotation: [-most, most], dummy2d, initialPatchSize: initial, mirrorAxes: patchSize.map((_, a) => a) };
}

/** The size around a patch that is turned about any one axis. */
function initialPatchSize(patch: readonly number[], angle: number): number[] {
  const [cos, sin] = [Math.cos(Math.min(angle, Math.PI / 2)), Math.sin(Math.min(angle, Math.PI / 2))];
  const most = [...patch];
  const planes =
    patch.length === 3
      ? [
          [1, 2],
          [0, 2],
          [0, 1],
        ]
      : [[0, 1]];
  for (const [k, [a, b]] of planes.entries()) {
    // Corners as row vectors times the matrix of a turn; that about the middle axis has the other sign.
    const sign = k === 1 ? -1 : 1;
    most[a] = Math.max(most[a], Math.abs(patch[a] * cos + sign * patch[b] * sin));
    most[b] = Math.max(most[b], Math.abs(patch[b] * cos - sign * patch[a] * sin));
  }
  return most.map((n) => Math.trunc(n / smallestScale));
}

/** Voxels of each class or region of a case, by their offsets; the lists of `sampleForegroundOffsets`. */
export type ForegroundOffsets = readonly Uint32Array[];

/** What is drawn for a patch. */
export interface PatchRequest {
  /** Spatial size of the case. */
  readonly shape: readonly number[];
  /** Size that is cut, and that the network sees. Voxels per axis that are cut. */
  readonly patchSize: readonly number[];
  /** Voxels per axis that the network sees. */
  readonly finalPatchSize: readonly number[];
  /** The patch is to show one of these classes; without it, or where the case has none of them, it may lie anywhere. */
  readonly foreground?: ForegroundOffsets | undefined;
}

/**
 * Where a patch begins, per axis; it may reach over the case's borders. A class is drawn among those that the case has, then a voxel of it, which comes
 * into the middle of the patch as far as the borders allow. nnU-Net's `get_bbox`.
 */
export function drawPatchStart(request: PatchRequest, random: RandomSource): number[] {
  expectFields("drawPatchStart", "request", request, { shape: "numbers", patchSize: "numbers", finalPatchSize: "numbers" });
  expectArguments("drawPatchStart", "random", { random });
  const { shape, patchSize, finalPatchSize, foreground } = request;
  const bounds = shape.map((n, a) => {
    const pad = Math.max(patchSize[a] - finalPatchSize[a], patchSize[a] - n);
    return { low: Math.floor(-pad / 2), high: n + Math.floor(pad / 2) + (pad % 2) - patchSize[a] };
  });
  const there = (foreground ?? []).filter((list) => list.length > 0);
  if (there.length === 0) return bounds.map(({ low, high }) => low + random.randint(high - low + 1));
  const list = there[random.randint(there.length)];
  let rest = list[random.randint(list.length)];
  const voxel = new Array<number>(shape.length);
  for (let a = shape.length - 1; a >= 0; a--) {
    voxel[a] = rest % shape[a];
    rest = Math.floor(rest / shape[a]);
  }
  return voxel.map((v, a) => Math.max(bounds[a].low, v - Math.floor(patchSize[a] / 2)));
}

/**
 * A box of `[C, x, y, z]` as floats, `fill` where it reaches over the borders.
 * @param start per spatial axis, may be negative
 * @param size voxels per spatial axis
 */
export function cropAndPad(
  image: HostArray<TypedArray>,
  start: readonly number[],
  size: readonly number[],
  fill: number,
): HostArray<Float32Array> {
  expectKinds("cropAndPad", { array: { x: image }, numbers: { start, size }, number: { fill } });
  const { data, shape } = image;
  const [channels, nx, ny, nz] = shape;
  const [sx, sy, sz] = size;
  const out = new Float32Array(channels * sizeOf(size));
  if (fill !== 0) out.fill(fill);
  const [x0, y0, z0] = start.map((s) => Math.max(0, -s));
  const [x1, y1, z1] = size.map((n, a) => Math.min(n, shape[a + 1] - start[a]));
  if (z1 <= z0) return { data: out, shape: [channels, ...size] };
  for (let c = 0; c < channels; c++) {
    for (let x = x0; x < x1; x++) {
      for (let y = y0; y < y1; y++) {
        const from = ((c * nx + x + start[0]) * ny + y + start[1]) * nz + start[2];
        out.set(data.subarray(from + z0, from + z1), ((c * sx + x) * sy + y) * sz + z0);
      }
    }
  }
  return { data: out, shape: [channels, ...size] };
}
