/** @file Weight gradients of convolution and transposed convolution, one kernel for both, summed over slabs of rows by `reduce`. */

import { sizeOf } from "../../host/array.ts";
import { update, write } from "../../tensor/kernel.ts";
import type { Shape } from "../../host/shape.ts";
import type { Device } from "../../tensor/device.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { half } from "../lib/args.ts";
import { type WeightGradient, weightGradientPieces } from "./over_limit.ts";
import { pointWeightGradient, WEIGHT_THREADS, weightGradientFourier, weightGradientRowsShader } from "#lanes";
import { type ConvGeometry, four, type Triple, windowWords } from "./shape.ts";
import { weightWindow } from "./matrix.ts";
import { blockElements, slabsOf } from "./slabs.ts";
import { type Fourier, weightVariant } from "./variants.ts";
import { hasLanes } from "../lib/subgroups.ts";
import { fits } from "../lib/pieces.ts";
import { zeros } from "../create.ts";
import { fold } from "../lib/workgroups.ts";
import { binary } from "../pointwise.ts";
import { reduceSum } from "../reduce.ts";
import { weightGradientShader } from "../shaders/conv/weight_gradient.gen.ts";
import { RUN, weightGradientMatrixShader } from "../shaders/conv/weight_gradient_matrix.gen.ts";
import { weightGradientTileShader } from "../shaders/conv/weight_gradient_tile.gen.ts";

/** Weight gradient of either kind: `small` is the output gradient of `conv` or the input of `convTranspose`, `large` the other one. */
export function convWeightGradient(small: Tensor, large: Tensor, g: ConvGeometry, weightShape: Shape): Tensor {
  return sumOfPieces({ g, small, large }, weightShape);
}

function sumOfPieces(job: WeightGradient, weightShape: Shape): Tensor {
  if (fits(job.small, job.large)) return weightGradient(job, weightShape);
  const sums: Tensor[] = [];
  for (const piece of weightGradientPieces(job)) sums.push(sumOfPieces(piece, weightShape));
  return sums.reduce((total, sum) => {
    const next = binary("add", total, sum);
    total.dispose();
    sum.dispose();
    return next;
  });
}

interface Share {
  /** Channels of the small and of the large side. */
  readonly TA: number;
  readonly TB: number;
  /** Taps along W. */
  readonly taps: number;
}

/** What of a weight gradient a thread, or a workgroup through shared memory, adds up. */
function shareOf(
  device: Device,
  tile: Exclude<ReturnType<typeof weightVariant>, Fourier | "product">,
  a: number,
  b: number,
): Share {
  if (tile && "SA" in tile) return { TA: tile.SA * tile.RA * tile.M, TB: tile.SB * tile.RB * tile.N, taps: tile.TW };
  if (tile && "TB" in tile) return { TA: tile.PC * tile.PARTS, TB: tile.TB, taps: tile.KW };
  if (tile) return { TA: 4 * tile.AG * tile.R, TB: 4 * tile.BG * tile.R, taps: 1 };
  // A thread of a GPU has registers for 32 sums and the blocks that they are added to; more go to memory, where those of a software adapter are anyway.
  const most = device.software ? 16 : 8;
  return { TA: Math.min(most, a > 8 ? 16 : a > 4 ? 8 : 4), TB: b > 1 ? 4 : 1, taps: 1 };
}

/** Of a workgroup. */
function threadsOf(tile: Exclude<ReturnType<typeof weightVariant>, Fourier | "product">, direct: number): number {
  if (!tile || "TB" in tile) return direct;
  return "SA" in tile ? tile.SA * tile.SB * tile.S : tile.AG * tile.BG * tile.KS;
}

// Lanes differ in channels up to so many positions. On llvmpipe, CPU ms by taps and by channels: 128 channels of 5³ taps at 4×8×8 81 and 61, of 3³ at 8³ 35 and 32,
// 64 at 16³ 56 and 61, 32 at 32³ 99 and 110.
const mostByChannel = 1024;

/**
 * The convolution with those taps alone that reach the input from anywhere, which of a small image are few (3 of 5 along an axis of two elements, one along an
 * axis of one), and the place of the first of them in the weight.
 */
function reachingTaps(g: ConvGeometry): { part: ConvGeometry; first: number } {
  const axes = [0, 1, 2].map((i) => {
    const from = Math.max(0, Math.ceil((g.padding[i] - (g.small[i] - 1) * g.stride[i]) / g.dilation[i]));
    const end = Math.min(g.taps[i], Math.ceil((g.large[i] + g.padding[i]) / g.dilation[i]));
    return { from, count: Math.max(0, end - from), padding: g.padding[i] - from * g.dilation[i] };
  });
  const triple = (key: "from" | "count" | "padding"): Triple => [axes[0][key], axes[1][key], axes[2][key]];
  const [d, h, w] = triple("from");
  return { part: { ...g, taps: triple("count"), padding: triple("padding") }, first: (d * g.taps[1] + h) * g.taps[2] + w };
}

function weightGradient({ g, small, large }: WeightGradient, weightShape: Shape): Tensor {
  const { device } = small;
  const [smallGroup, largeGroup] = [g.smallChannels / g.groups, g.largeChannels / g.groups];
  const tile = weightVariant(device, g, half(small));
  if (tile === "product") return pointWeightGradient(small, large, g, weightShape);
  if (tile && "length" in tile) return weightGradientFourier({ g, small, large }, weightShape, tile.length);
  const { TA, TB, taps } = shareOf(device, tile, smallGroup, largeGroup);
  const { part, first } = tile ? { part: g, first: 0 } : reachingTaps(g);
  if (sizeOf(part.taps) === 0) return zeros(device, weightShape);
  const pairs = part.taps[0] * part.taps[1] * Math.ceil(part.taps[2] / taps) * Math.ceil(largeGroup / TB); // of taps and b-channels
  // Lanes without weights work too in lib/channels_by_lane.
  const direct = hasLanes(device) ? 8 : pairs > 32 ? 64 : pairs > 8 ? 32 : 8;
  const WG = !tile ? direct : "TB" in tile ? WEIGHT_THREADS : 1; // so many to a workgroup
  const [columns, tiles] = [Math.ceil(pairs / WG), g.groups * Math.ceil(smallGroup / TA)];
  const runs = slabsOf(device, g, columns * tiles, weightShape, threadsOf(tile, WG), tile && "SA" in tile ? RUN : blockElements);
  const { slabs } = runs;
  const blocked = runs.slab > runs.block;
  const whole = sizeOf(part.taps) === sizeOf(g.taps);
  const partial = whole ? device.empty([slabs, ...weightShape]) : zeros(device, [slabs, ...weightShape]);
  const call = {
    half: half(small),
    params: {
      a_size: four(g.small),
      b_size: four(g.large),
      ...windowWords(part),
      whole: [...g.taps, first] as const,
      a_channels: g.smallChannels,
      b_channels: g.largeChannels,
      a_pitch: g.smallChannels * sizeOf(g.small),
      b_pitch: g.largeChannels * sizeOf(g.large),
      a_group: smallGroup,
      b_group: largeGroup,
      ...runs,
      columns,
      tiles,
      by_channel: hasLanes(device) && sizeOf(g.large) <= mostByChannel ? 1 : 0,
    },
    bind: { a: small, b: large, partial: whole ? write(partial) : update(partial) },
    workgroups: fold(device, "conv", columns * tiles * slabs),
  };
  const BLOCKED = blocked ? 1 : 0;
  const kind = blocked ? " blocked" : "";
  if (!tile) {
    const lanes = hasLanes(device);
    const shader = lanes ? weightGradientShader.channelsByLane : weightGradientShader.channelsApart;
    const variant = `WG${WG}${kind}${lanes ? " lanes" : ""}`;
    device.run(shader({ ...call, consts: { TA, TB }, overrides: { WG, BLOCKED }, variant }));
  } else if ("TB" in tile) {
    // Blocks cost nothing here, and one program does for few and many positions.
    device.run(weightGradientRowsShader({ ...call, consts: tile, overrides: { BLOCKED: 1 }, variant: "blocked" }));
  } else if ("SA" in tile) {
    const TAIL = g.small[2] % RUN === 0 ? 0 : 1;
    const { half: _, ...rest } = call;
    const { wide } = weightWindow(g);
    const { onePlace, twoPlaces, eightPlaces } = weightGradientMatrixShader;
    const shader = wide === 8 ? eightPlaces : wide === 2 ? twoPlaces : onePlace;
    const variant = [TAIL ? "tail" : "", wide > 1 ? `x${wide}` : ""].filter(Boolean).join(" ");
    device.run(shader({ ...rest, overrides: { TAIL }, variant, consts: tile }));
  } else device.run(weightGradientTileShader({ ...call, consts: tile }));
  const weight = slabs === 1 ? partial.view(weightShape) : reduceSum(partial, [0], false);
  partial.dispose();
  return weight;
}
