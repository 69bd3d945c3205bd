/** @file Variants of the convolution kernels, and the fixed rule that picks one where no measurement has. */

import type { Device } from "../../tensor/device.ts";
import { sizeOf } from "../../host/array.ts";
import { amount, chosen, sizeClass } from "../lib/choices.ts";
import { matricesOf } from "../lib/matrices.ts";
import { workgroupsToFill } from "../lib/occupancy.ts";
import { hasLanes } from "../lib/subgroups.ts";
import { BLOCK } from "../shaders/lib/conv.gen.ts";
import { LANES, LP } from "../shaders/conv/window.gen.ts";
import { THREADS } from "../shaders/lib/weights_apart.gen.ts";
import {
  fourierLengths,
  hasPoint,
  hasPointWeight,
  hasRows,
  hasWeightRows,
  payingLengths,
  pointTile,
  rowsTile,
  weightRows,
} from "#lanes";
import type { ConvGeometry, Triple } from "./shape.ts";
import type { Point } from "./point.ts";
import type { RowsTile, WeightRows } from "./rows.ts";
import { hasMatrix, hasWeightMatrix, matrixTile, type MatrixTile, type WeightMatrix, weightMatrix } from "./matrix.ts";
import { hasTile, type Tile } from "./tile.ts";
import { hasWindow, windowTile, type WindowTile } from "./window.ts";

/** Positions and channels that a thread of conv/gather.wgsl owns. */
export interface Direct {
  readonly TP: number;
  readonly TC: number;
}

/** Lengths of transforms along D, H and W, see conv/fourier.ts. */
export interface Fourier {
  readonly length: Triple;
}

// On lavapipe, with weights by lane, 32 -> 16 channels at 4x64² (transposed, stride 2), CPU ms and ms of compiling: 8x16 3.8 and 340, 12x16 4.3 and 490,
// 4x16 4.4 and 250, 8x8 5.1 and 310, 8x4 7.9 and 280; 12x16 with all weights read by each thread 4.7 and 900.
// All direct tiles but the largest keep their accumulators in the registers of a GPU thread, and more of them leave more of the loop to multiply-adds: 42 % with 8x8, 39 with 4x16,
// 31 with 4x8 and 8x4, 22 with 4x4. The tiles through shared memory are chosen by what Mesa's compiler makes of
// them for RDNA 3 (bench/results/isa.md): 8 x 8 outputs per lane leave 75 to 81 % of the loop to multiply-adds, 4 x 4 outputs 39 %.
export const gatherVariants: Readonly<Record<string, Direct | Tile | "rows" | "point" | "fourier" | "matrix" | "window">> = {
  rows: "rows", // cut by the sizes, see conv/rows.ts
  point: "point", // one tap, see conv/point.ts
  fourier: "fourier", // the same, see conv/fourier_lengths.ts
  matrix: "matrix", // f16 only; cut by the sizes, see conv/matrix.ts
  window: "window", // few output channels; cut by the sizes, see conv/window.ts
  "direct 8x16": { TP: 8, TC: 16 },
  "direct 8x8": { TP: 8, TC: 8 },
  "direct 8x4": { TP: 8, TC: 4 },
  "direct 4x16": { TP: 4, TC: 16 },
  "direct 4x8": { TP: 4, TC: 8 },
  "direct 4x4": { TP: 4, TC: 4 },
  "tile 128x128": { CG: 16, PG: 16, RC: 2, RP: 2, STEP: 8 },
  "tile 64x128": { CG: 8, PG: 16, RC: 2, RP: 2, STEP: 8 },
  "tile 32x128": { CG: 4, PG: 16, RC: 2, RP: 2, STEP: 8 },
  "tile 64x64": { CG: 16, PG: 16, RC: 1, RP: 1, STEP: 16 },
};

/** Those that may win on a device: on a GPU the sums of the largest direct tile are no registers but memory, and a software adapter crawls through barriers. */
export const gatherNames = (device: Device, half: boolean): string[] =>
  Object.keys(gatherVariants).filter(
    (name) =>
      ((name !== "rows" && name !== "point" && name !== "fourier") || hasLanes(device)) &&
      (name !== "matrix" || (half && matricesOf(device))) &&
      !(device.software ? /^tile|^window|^direct 4x16$/ : /^direct 8x16$/).test(name),
  );

/** See conv/weight_gradient_tile.wgsl: a workgroup owns 4 · AG · R channels by 4 · BG · R of the other side. */
interface WeightTile {
  readonly AG: number;
  readonly BG: number;
  readonly R: number;
  readonly KS: number;
  readonly STEP: number;
}

export const weightVariants: Readonly<
  Record<string, WeightTile | "weight rows" | "product" | "weight fourier" | "weight matrix" | undefined>
> = {
  direct: undefined,
  "weight rows": "weight rows", // cut by the sizes, see conv/rows.ts
  "weight product": "product", // one tap, see conv/point.ts
  "weight fourier": "weight fourier", // the same, see conv/fourier_lengths.ts
  "weight matrix": "weight matrix", // f16 only, see conv/matrix.ts
  "weights 128x128": { AG: 16, BG: 16, R: 2, KS: 1, STEP: 8 },
  "weights 64x64": { AG: 8, BG: 8, R: 2, KS: 1, STEP: 8 },
  "weights 32x32": { AG: 4, BG: 4, R: 2, KS: 4, STEP: 32 },
};

export const weightNames = (device: Device, half: boolean): string[] =>
  Object.keys(weightVariants).filter((name) => {
    if (name === "weight rows" || name === "weight product" || name === "weight fourier") return hasLanes(device);
    if (name === "weight matrix") return half && matricesOf(device) !== undefined;
    return name === "direct" || !device.software;
  });

/** Channels that a run of the gather kernels reads and writes, per group. */
const channels = (g: ConvGeometry, transposed: boolean): readonly [inputs: number, outputs: number] => {
  const pair = [g.largeChannels / g.groups, g.smallChannels / g.groups] as const;
  return transposed ? [pair[1], pair[0]] : pair;
};

// By the channels of a tile.
const tiles = { 32: "tile 32x128", 64: "tile 64x128", 128: "tile 128x128" } as const;

// The kernels for rows are further programs, weights are packed for each use, and a row of 8 fills one subgroup for 8 rows: not for layers that
// are done in a few milliseconds by the plain kernels, which all networks need too, nor for a handful of positions.
const leastProducts = 2 ** 22;
const leastPositions = 128;

/** Multiply-adds of a layer. */
export const productsOf = (g: ConvGeometry): number =>
  (g.samples * sizeOf(g.small) * g.smallChannels * g.largeChannels * sizeOf(g.taps)) / g.groups;

function paysRows(device: Device, g: ConvGeometry): boolean {
  return hasLanes(device) && g.samples * sizeOf(g.small) >= leastPositions && productsOf(g) >= leastProducts;
}

/** Of few channels on a GPU: the tile with the most reuse of which there are enough. */
function directRule(device: Device, g: ConvGeometry, transposed: boolean, outputs: number): string {
  const name = outputs > 8 ? "direct 4x16" : outputs > 4 ? "direct 8x8" : "direct 8x4";
  const { TP, TC } = gatherVariants[name] as Direct;
  const tiles = g.groups * Math.ceil(outputs / TC);
  const across = (g.samples * sizeOf(transposed ? g.large : g.small)) / (THREADS * TP);
  if (across * tiles >= workgroupsToFill(device, "conv")) return name;
  return outputs > 4 ? "direct 4x8" : "direct 4x4";
}

function fillsByWindows(device: Device, g: ConvGeometry, transposed: boolean): boolean {
  const across = (g.samples * sizeOf(transposed ? g.large : g.small)) / (LANES * LP);
  return across * g.groups >= workgroupsToFill(device, "conv");
}

/** The fixed table. */
export function gatherRule(device: Device, g: ConvGeometry, transposed: boolean, half: boolean): string {
  const [inputs, outputs] = channels(g, transposed);
  if (payingLengths(device, g, transposed ? "transposed" : "plain")) return "fourier";
  if (paysRows(device, g) && hasRows(g, transposed)) return "rows";
  if (paysRows(device, g) && hasPoint(g) && outputs >= 8) return "point";
  if (device.software) return outputs > 8 ? "direct 8x16" : outputs > 4 ? "direct 8x8" : "direct 8x4";
  if (half && inputs >= 8 && outputs > 8 && hasMatrix(device, g, transposed)) return "matrix";
  if (hasWindow(g, transposed) && ((inputs >= 8 && outputs > 8) || fillsByWindows(device, g, transposed))) return "window";
  if (inputs < 8 || outputs <= 8 || !hasTile(g)) return directRule(device, g, transposed, outputs);
  const widest = outputs > 64 ? 128 : outputs > 32 ? 64 : 32;
  // Sums of so many products need three sets of accumulators, and a small layer has to be cut in more pieces than large tiles make.
  if (inputs * sizeOf(g.taps) > 128 * BLOCK) return "tile 64x64";
  const positions = (g.samples * sizeOf(transposed ? g.large : g.small)) / 128;
  const groups = (wide: number): number => positions * g.groups * Math.ceil(outputs / wide);
  if (widest === 32 || groups(widest) >= workgroupsToFill(device, "conv")) return tiles[widest];
  return groups(64) >= workgroupsToFill(device, "conv") ? "tile 64x128" : "tile 64x64";
}

/** The same of the weight gradient. */
export function weightRule(device: Device, g: ConvGeometry, half: boolean): string {
  const least = Math.min(g.smallChannels, g.largeChannels) / g.groups;
  if (payingLengths(device, g, "weight")) return "weight fourier";
  if (paysRows(device, g) && hasWeightRows(g)) return "weight rows";
  if (paysRows(device, g) && !half && hasPointWeight(g) && least >= 24) return "weight product";
  if (device.software || least < 16) return "direct";
  if (half && hasWeightMatrix(device, g)) return "weight matrix";
  return least > 64 ? "weights 128x128" : least > 32 ? "weights 64x64" : "weights 32x32";
}

/** Class of a run of the gather kernels, under which `tune` notes its choice. */
export function gatherProblem(g: ConvGeometry, transposed: boolean, half: boolean): string {
  const [inputs, outputs] = channels(g, transposed);
  const positions = amount(g.samples * sizeOf(transposed ? g.large : g.small));
  const kind = transposed ? "transposed" : "plain";
  return `conv ${kind} ${layer(g)} ${sizeClass(inputs)}->${sizeClass(outputs)} ${positions}${half ? " f16" : ""}`;
}

/** The same of the weight gradient. */
export function weightProblem(g: ConvGeometry, half: boolean): string {
  const positions = amount(g.samples * sizeOf(g.small));
  const channels = `${sizeClass(g.smallChannels / g.groups)}x${sizeClass(g.largeChannels / g.groups)}`;
  return `conv weight ${layer(g)} ${channels} ${positions}${half ? " f16" : ""}`;
}

const layer = (g: ConvGeometry): string => `k${sizeOf(g.taps)} s${sizeOf(g.stride)}`;

export function gatherVariant(
  device: Device,
  g: ConvGeometry,
  transposed: boolean,
  half: boolean,
): Direct | Tile | RowsTile | Point | Fourier | MatrixTile | WindowTile {
  const rule = gatherRule(device, g, transposed, half);
  const variant = chosen(device, gatherProblem(g, transposed, half), gatherVariants, rule);
  const found = takes(device, g, transposed, half, variant) ? variant : gatherVariants[rule];
  if (found === "matrix") return matrixTile(device, g, transposed);
  if (found === "window") return windowTile(g, transposed);
  if (found === "fourier") return { length: fourierLengths(device, g, transposed ? "transposed" : "plain")! };
  if (found === "point") return pointTile(g, transposed);
  return found === "rows" ? rowsTile(g, transposed) : found;
}

// A choice holds for a class of problems, which may have one that the kernel does not take.
function takes(
  device: Device,
  g: ConvGeometry,
  transposed: boolean,
  half: boolean,
  variant: Direct | Tile | "rows" | "point" | "fourier" | "matrix" | "window",
): boolean {
  if (variant === "rows") return hasRows(g, transposed) && hasLanes(device);
  if (variant === "point") return hasPoint(g) && hasLanes(device);
  if (variant === "fourier") return fourierLengths(device, g, transposed ? "transposed" : "plain") !== undefined;
  if (variant === "matrix") return half && hasMatrix(device, g, transposed);
  if (variant === "window") return hasWindow(g, transposed);
  return "TP" in variant || hasTile(g);
}

export function weightVariant(
  device: Device,
  g: ConvGeometry,
  half: boolean,
): WeightTile | WeightRows | "product" | Fourier | WeightMatrix | undefined {
  const rule = weightRule(device, g, half);
  const variant = chosen(device, weightProblem(g, half), weightVariants, rule);
  if (variant === "weight rows") return hasWeightRows(g) && hasLanes(device) ? weightRows(g) : undefined;
  if (variant === "product") return hasPointWeight(g) && hasLanes(device) && !half ? variant : undefined;
  if (variant === "weight fourier") {
    const length = fourierLengths(device, g, "weight");
    return length && { length };
  }
  if (variant === "weight matrix") return half && hasWeightMatrix(device, g) ? weightMatrix(device, g) : undefined;
  return variant;
}
