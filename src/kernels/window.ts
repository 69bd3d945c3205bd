/**
 * @file Sliding windows on the device: windows are cut out of an image and their predictions added up, weighted. Of the image and the sums only some
 * planes and rows need to be kept: planes as a ring, so that volumes of any length pass through.
 */

import { ShapeError } from "../host/errors.ts";
import { type KernelCall, update, write } from "../tensor/kernel.ts";
import { type Tensor } from "../tensor/tensor.ts";
import { half } from "./lib/args.ts";
import { bindable, rows as viewOfRows } from "./lib/pieces.ts";
import { grid } from "./lib/workgroups.ts";
import { addShader } from "./shaders/window/add.gen.ts";
import { clearShader } from "./shaders/window/clear.gen.ts";
import { countShader } from "./shaders/window/count.gen.ts";
import { decideShader, LARGEST, POSITIVE } from "./shaders/window/decide.gen.ts";
import { gatherShader } from "./shaders/window/gather.gen.ts";
import { meanShader } from "./shaders/window/mean.gen.ts";

type Size3 = readonly [number, number, number];

/** A window `[planes, rows, columns]` in an image. */
export interface WindowPlace {
  readonly roi: Size3;
  /** Its first voxel in the image. */
  readonly start: Size3;
  /**
   * The axes that the network sees from their other end: bit 0 for planes, 1 for rows, 2 for columns. In the bits above, two axes of one size that it sees
   * swapped: 1 planes and rows, 2 rows and columns, 3 planes and columns.
   */
  readonly flips: number;
}

/** What is kept of an image: `[…, ring, rows, columns]`, plane z in place z mod ring, rows from `firstRow` on. */
export interface Kept {
  /** Sums, weights and means are rounded to f16. */
  readonly halfSums?: boolean | undefined;
  readonly ring: number;
  readonly firstRow: number;
  readonly rows: number;
  readonly columns: number;
}

const params = ({ roi, start, flips }: WindowPlace, { ring, firstRow, rows, columns }: Kept, offset: number, channels = 1) => ({
  roi,
  flips,
  start,
  ring,
  first_row: firstRow,
  rows,
  columns,
  offset,
  channels,
});

const rounding = ({ halfSums }: Kept) => ({
  overrides: { HALF_SUMS: halfSums ? 1 : 0 },
  variant: halfSums ? "f16 sums" : undefined,
});

const voxels = ([d, h, w]: Size3): number => d * h * w;

/** Copies a window of one channel `x` `[ring, rows, columns]` to element `offset` of `windows`. */
export function cutWindow(x: Tensor, kept: Kept, windows: Tensor, offset: number, place: WindowPlace): void {
  x.device.run(
    gatherShader({
      params: { ...params(place, kept, offset), scale: 1 },
      bind: { x, y: update(windows) },
      workgroups: grid(x.device, "window", voxels(place.roi), 64),
    }),
  );
}

/**
 * Adds `scale` · weights · prediction to sums.
 * @param prediction of windows, `[windows · channels, roi…]`, f32 or f16
 * @param first row of `prediction` that is added to the first of the sums
 * @param weights `[roi…]`
 * @param sums `[some channels, ring, rows, columns]`
 */
export function addWindow(
  prediction: Tensor,
  first: number,
  weights: Tensor,
  sums: Tensor,
  kept: Kept,
  place: WindowPlace,
  scale: number,
): void {
  const { device } = sums;
  const channels = sums.shape[0];
  const part = bindable(viewOfRows(prediction, first, channels), "read");
  device.run(
    addShader({
      half: half(prediction),
      ...rounding(kept),
      params: { ...params(place, kept, 0, channels), scale },
      bind: { prediction: part.tensor, weight: weights, sums: update(sums) },
      workgroups: grid(device, "window", voxels(place.roi), 64),
    }),
  );
  part.done();
}

/** Adds `scale` · weights to their sum `[ring, rows, columns]`. */
export function addWeights(weights: Tensor, sums: Tensor, kept: Kept, place: WindowPlace, scale: number): void {
  const { device } = sums;
  device.run(
    countShader({
      ...rounding(kept),
      params: { ...params(place, kept, 0), scale },
      bind: { weight: weights, sums: update(sums) },
      workgroups: grid(device, "window", voxels(place.roi), 64),
    }),
  );
}

/** Planes `first` to `first + planes` of an image, of what is kept. */
export interface Planes extends Kept {
  readonly first: number;
  readonly planes: number;
}

const planeParams = ({ first, planes, ring, rows, columns }: Planes, channels: number, firstChannel = 0) => ({
  count: planes * rows * columns,
  first,
  ring,
  plane: rows * columns,
  channels,
  first_channel: firstChannel,
});

/** What sums mean: the largest channel, or all that are positive (bit c for channel c). */
export type Decision = "largest" | "positive";

/** How many codes of voxels a word has: 4 where a byte is enough. */
export function codesPerWord(decision: Decision, channels: number): 1 | 4 {
  if (decision === "positive" && channels > 32)
    throw new ShapeError(
      `window: a set of positive channels has a bit for each of at most 32, the network has ${channels}; ask for scores and decide by them`,
    );
  return channels <= (decision === "largest" ? 256 : 8) ? 4 : 1;
}

/** Which channels of all a part holds. */
export interface ChannelRange {
  readonly first: number;
  readonly total: number;
}

/**
 * Decides planes by some of their channels, the first ones first: `best` and `codes` keep what was decided so far.
 * @param part `[channels, ring, rows, columns]`
 * @param codes u32, `codesPerWord` voxels in each
 * @param best `[voxels]`, or one element where a part holds all channels
 */
export function decidePart(
  part: Tensor,
  { first, total }: ChannelRange,
  planes: Planes,
  decision: Decision,
  codes: Tensor,
  best: Tensor,
): void {
  const perWord = codesPerWord(decision, total);
  const given = planeParams(planes, part.shape[0], first);
  const [begins, ends] = [first === 0, first + part.shape[0] === total];
  part.device.run(
    decideShader({
      consts: { CODES: perWord },
      overrides: { KIND: decision === "largest" ? LARGEST : POSITIVE, BEGINS: begins ? 1 : 0, ENDS: ends ? 1 : 0 },
      variant: `${decision} x${perWord}${begins ? " begins" : ""}${ends ? " ends" : ""}`,
      params: given,
      bind: { sums: part, best: update(best), codes: update(codes) },
      workgroups: grid(part.device, "window", Math.ceil(given.count / perWord), 64),
    }),
  );
}

/** Decides planes by parts that hold all channels together; see `decidePart`. */
export function decidePlanes(sums: readonly Tensor[], planes: Planes, decision: Decision, codes: Tensor, best: Tensor): void {
  const total = sums.reduce((n, s) => n + s.shape[0], 0);
  let first = 0;
  for (const part of sums) {
    decidePart(part, { first, total }, planes, decision, codes, best);
    first += part.shape[0];
  }
}

/**
 * Sums `[channels, ring, rows, columns]` over weights `[ring, rows, columns]`, of these planes and of `count` channels from `first` on: `[count, planes, rows,
 * columns]`.
 */
export function meanOfPlanes(sums: Tensor, weights: Tensor, planes: Planes, first = 0, count = sums.shape[0]): Tensor {
  const { device } = sums;
  const y = device.empty([count, planes.planes, planes.rows, planes.columns]);
  const given = planeParams(planes, count, first);
  device.run(
    meanShader({
      ...rounding(planes),
      params: given,
      bind: { sums, weights, y: write(y) },
      workgroups: grid(device, "window", given.count, 64),
    }),
  );
  return y;
}

/** Sets these planes of sums to 0. */
export function clearPlanes(sums: Tensor, planes: Planes): void {
  const given = planeParams(planes, sums.shape[0]);
  const call: KernelCall = clearShader({
    params: given,
    bind: { sums: update(sums) },
    workgroups: grid(sums.device, "window", given.count, 64),
  });
  sums.device.run(call);
}
