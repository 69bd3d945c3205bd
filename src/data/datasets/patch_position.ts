/** @file Where the patches of a regular grid start: MONAI's `iter_patch_position` and `get_valid_patch_size`. */

import { expectArguments } from "../../host/kinds.ts";
import { expectOptions } from "../../host/options.ts";
import { ConfigError } from "../../host/errors.ts";
import { roundHalfEven } from "../../host/rounding.ts";

/** @throws ConfigError for sizes of a patch that are neither null nor integers of 0 or more */
export function expectPatchSize(op: string, patchSize: readonly (number | null)[]): void {
  const wrong = patchSize.find((p) => p !== null && !(Number.isInteger(p) && p >= 0));
  if (wrong !== undefined)
    throw new ConfigError(`${op}: patchSize has ${JSON.stringify(wrong)}; expected integers of 0 (whole axis) or more`);
}

/** @throws ConfigError for a start between voxels */
export function expectStart(op: string, startPos: readonly number[]): void {
  const wrong = startPos.find((s) => !Number.isInteger(s));
  if (wrong !== undefined) throw new ConfigError(`${op}: startPos has ${wrong}; expected integers, the positions of voxels`);
}

/**
 * Sizes of a patch within an image: 0, null and missing entries take the whole axis, and none is larger than it. A number is the first axis'. `imageSize`
 * and `patchSize` are in voxels. @throws ConfigError for sizes that are no integers of 0 or more
 */
export function validPatchSize(imageSize: readonly number[], patchSize: number | readonly (number | null)[]): number[] {
  expectArguments("validPatchSize", "numbers", { imageSize });
  if (typeof patchSize !== "number") expectArguments("validPatchSize", "list", { patchSize });
  const list = typeof patchSize === "number" ? [patchSize] : patchSize;
  expectPatchSize("validPatchSize", list);
  return imageSize.map((n, a) => Math.min(n, list[a] || n));
}

/** How the grid lies. */
export interface PatchPositionOptions {
  /** First position per axis; default 0. */
  readonly startPos?: readonly number[];
  /** Voxels that neighbors share if whole numbers, else a share of the patch; default 0. */
  readonly overlap?: number | readonly number[];
  /** Whether patches may go beyond the borders; default false. */
  readonly padded?: boolean;
}

/** The numbers from `start` to before `end`. @throws ConfigError for a step of 0 */
export function range(op: string, start: number, end: number, step: number): number[] {
  if (step === 0 && start < end)
    throw new ConfigError(`${op}: neighbors overlap by a whole patch; overlap must be less than the patch`);
  const out: number[] = [];
  for (let i = start; step >= 0 ? i < end : i > end; i += step) out.push(i);
  return out;
}

/** How far apart patches of `size` start. @throws ConfigError for overlaps of another number of axes */
export function gridSteps(op: string, size: readonly number[], overlap: number | readonly number[]): number[] {
  const overlaps = typeof overlap === "number" ? size.map(() => overlap) : overlap;
  if (overlaps.length !== size.length)
    throw new ConfigError(`${op}: overlap has ${overlaps.length} entries for ${size.length} axes`);
  // Voxels or shares: what they are is one thing for all axes.
  const shares = overlaps.some((o) => !Number.isInteger(o));
  return size.map((n, a) => (shares ? roundHalfEven(n * (1 - overlaps[a])) : n - overlaps[a]));
}

/**
 * First positions of the patches of a grid, last axis fastest. `imageSize` and `patchSize` are in voxels, sizes as `validPatchSize` has them. @throws
 * ConfigError for an overlap of the whole patch or of another number of axes, and for sizes and starts between voxels
 */
export function iterPatchPosition(
  imageSize: readonly number[],
  patchSize: number | readonly (number | null)[],
  options: PatchPositionOptions = {},
): number[][] {
  expectOptions("iterPatchPosition", options, "startPos:numbers overlap:spread padded:boolean");
  const { startPos = [], overlap = 0, padded = false } = options;
  expectStart("iterPatchPosition", startPos);
  const size = validPatchSize(imageSize, patchSize);
  const steps = gridSteps("iterPatchPosition", size, overlap);
  const starts = imageSize.map((n, a) => range("iterPatchPosition", startPos[a] ?? 0, padded ? n : n - size[a] + 1, steps[a]));
  return starts.reduce<number[][]>((all, list) => all.flatMap((head) => list.map((s) => [...head, s])), [[]]);
}
