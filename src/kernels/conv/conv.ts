/**
 * @file Convolution and transposed convolution in one, two and three dimensions (2-D is depth 1). Both directions and both input
 * gradients are one gather kernel; both weight gradients are another, summed over slabs of rows by `reduce`.
 */

import { sizeOf } from "../../host/array.ts";
import { write } from "../../tensor/kernel.ts";
import type { Shape } from "../../host/shape.ts";
import type { Device } from "../../tensor/device.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { expectFloats, expectTensors, half, instead } from "../lib/args.ts";
import { type Gather, gatherPieces, type WeightGradient, weightGradientPieces } from "./over_limit.ts";
import { gatherFourier, weightGradientFourier } from "#fourier";
import type { ConvGeometry } from "./shape.ts";
import { packRows, rowsGrid } from "./rows.ts";
import { type MatrixTile, matrixWindow, packMatrix, weightWindow } from "./matrix.ts";
import { blockElements, slabsOf } from "./slabs.ts";
import { type Packed, packWeights, readsRuns, tapRoom, type Tile } from "./tile.ts";
import type { WindowTile } from "./window.ts";
import { type Direct, type Fourier, gatherVariant, weightVariant } from "./variants.ts";
import { hasLanes } from "../lib/subgroups.ts";
import { fits } from "../lib/pieces.ts";
import { fold } from "../lib/workgroups.ts";
import { binary, unary } from "../pointwise.ts";
import { reduceSum } from "../reduce.ts";
import { gatherShader } from "../shaders/conv/gather.gen.ts";
import { BLOCK } from "../shaders/lib/conv.gen.ts";
import { matrixShader } from "../shaders/conv/matrix.gen.ts";
import { rowsShader } from "../shaders/conv/rows.gen.ts";
import { tileShader } from "../shaders/conv/tile.gen.ts";
import { LANES, LP, windowShader } from "../shaders/conv/window.gen.ts";
import { weightGradientShader } from "../shaders/conv/weight_gradient.gen.ts";
import { THREADS, weightGradientRowsShader } from "../shaders/conv/weight_gradient_rows.gen.ts";
import { RUN, weightGradientMatrixShader } from "../shaders/conv/weight_gradient_matrix.gen.ts";
import * as apart from "../shaders/lib/weights_apart.gen.ts";
import * as byLane from "../shaders/lib/weights_by_lane.gen.ts";
import { weightGradientTileShader } from "../shaders/conv/weight_gradient_tile.gen.ts";

/** What happens to a result before it is stored: something of its shape and type is added, then negative values become 0. */
interface Ending {
  readonly relu?: boolean;
  readonly residual?: Tensor | undefined;
}

function gather(
  g: ConvGeometry,
  transposed: boolean,
  x: Tensor,
  weight: Tensor,
  bias: Tensor | undefined,
  outShape: Shape,
  { relu = false, residual }: Ending = {},
): Tensor {
  const y = x.device.empty(outShape, x.dtype);
  if (y.size === 0) return y;
  const job = { g, transposed, x, weight, bias, y };
  if (!residual || fits(x, y)) {
    run({ ...job, relu, residual });
    return y;
  }
  run({ ...job, relu: false });
  const sum = binary("add", y, residual);
  y.dispose();
  if (!relu) return sum;
  const positive = unary("relu", sum);
  sum.dispose();
  return positive;
}

function run(job: Gather): void {
  if (fits(job.x, job.y)) return dispatch(job);
  for (const piece of gatherPieces(job)) run(piece);
}

// An output with more products than this has them added in blocks, which takes a second set of accumulators.
const sequence = 4096;

const kinds = ["", "blocked", "blocked twice"];

/** Positions and channels of a workgroup. */
function shareOfOutputs(device: Device, variant: Direct | Tile | MatrixTile | WindowTile): readonly [number, number] {
  if ("TP" in variant) return [(hasLanes(device) ? byLane.THREADS : apart.THREADS) * variant.TP, variant.TC];
  if ("LC" in variant) return [LANES * LP, variant.LC];
  const [positions, channels] =
    "SC" in variant ? [variant.SP * variant.N, variant.SC * variant.M] : [4 * variant.PG, 4 * variant.CG];
  return [positions * variant.RP, channels * variant.RC];
}

/** Workgroups along the positions of a phase, tiles of channels over all groups, and phases. */
function gridOf(device: Device, g: ConvGeometry, transposed: boolean, variant: Direct | Tile | MatrixTile | WindowTile) {
  const [positions, channels] = shareOfOutputs(device, variant);
  const outputs = (transposed ? g.largeChannels : g.smallChannels) / g.groups;
  const gap = "SC" in variant ? matrixWindow(g, transposed).gap : 0;
  const [d, h, w] = transposed ? g.large.map((size, i) => Math.ceil(size / g.stride[i])) : g.small;
  const pixels = d * h * (w + gap);
  const tiles = g.groups * Math.ceil(outputs / channels);
  return { across: Math.ceil((g.samples * pixels) / positions), tiles, phases: transposed ? sizeOf(g.stride) : 1 };
}

const four = ([d, h, w]: readonly [number, number, number]) => [d, h, w, 0] as const;

/** Words that both directions have. */
const windows = (g: ConvGeometry) => ({
  taps: four(g.taps),
  stride: four(g.stride),
  dilation: four(g.dilation),
  padding: four(g.padding),
});

function dispatch(job: Gather): void {
  const { g, transposed, x, weight, bias, y, relu, residual } = job;
  const variant = gatherVariant(x.device, g, transposed, half(x));
  if ("length" in variant) return gatherFourier(job, variant.length);
  const [inSize, outSize] = transposed ? [g.small, g.large] : [g.large, g.small];
  const [inChannels, outChannels] = transposed ? [g.smallChannels, g.largeChannels] : [g.largeChannels, g.smallChannels];
  const taps = sizeOf(g.taps);
  const [inGroup, outGroup] = [inChannels / g.groups, outChannels / g.groups];
  // The weight is [small, large / groups, taps] for both kinds.
  const [weightOut, weightIn] = transposed ? [taps, outGroup * taps] : [inGroup * taps, taps];
  // What f16 keeps of a sum does not tell one level from two.
  const blocked = inGroup * taps <= sequence ? 0 : half(x) || inGroup * taps <= 128 * BLOCK ? 1 : 2;
  const layout = { inGroup, outGroup, taps, weightOut, weightIn };
  const { across, tiles, phases } = "PC" in variant ? rowsGrid(g, transposed, variant) : gridOf(x.device, g, transposed, variant);
  let packed: Packed | undefined;
  if ("CG" in variant) packed = packWeights(weight, g.groups, layout, variant);
  else if ("LC" in variant)
    packed = packWeights(weight, g.groups, layout, { CG: 1, RC: Math.ceil(variant.LC / 4), STEP: variant.STEP });
  else if ("SC" in variant) packed = packMatrix(weight, g.groups, layout, variant);
  const call = {
    half: half(x),
    params: {
      in_size: four(inSize),
      out_size: four(outSize),
      ...windows(g),
      in_channels: inChannels,
      out_channels: outChannels,
      in_group: inGroup,
      out_group: outGroup,
      weight_out: weightOut,
      weight_in: packed ? packed.pitch : weightIn,
      weight_group: packed ? packed.group : inGroup * outGroup * taps,
      transposed: transposed ? 1 : 0,
      has_bias: bias ? 1 : 0,
      samples: g.samples,
      x_pitch: inChannels * sizeOf(inSize),
      y_pitch: outChannels * sizeOf(outSize),
      residual_pitch: outChannels * sizeOf(outSize),
      relu: relu ? 1 : 0,
      has_residual: residual ? 1 : 0,
      tiles,
      across,
      gap: "SC" in variant ? matrixWindow(g, transposed).gap : 0,
    },
    bind: { x, w: packed?.weight ?? weight, bias: bias ?? weight, y: write(y), residual: residual ?? instead(x) },
    workgroups: fold(x.device, "conv", tiles * across * phases),
  };
  if ("PC" in variant) {
    const w = packRows(weight, g, { ...layout, transposed }, variant);
    // Blocks cost nothing here, and one program does for few and many channels.
    const BLOCKED = Math.max(1, blocked);
    x.device.run(
      rowsShader({ ...call, bind: { ...call.bind, w }, overrides: { BLOCKED }, variant: kinds[BLOCKED], consts: variant }),
    );
    w.dispose();
  } else if ("TP" in variant) {
    const lanes = hasLanes(x.device);
    const name = [kinds[blocked], lanes ? "lanes" : ""].filter(Boolean).join(" ");
    const shader = lanes ? gatherShader.weightsByLane : gatherShader.weightsApart;
    x.device.run(shader({ ...call, overrides: { BLOCKED: blocked }, variant: name, consts: variant }));
  } else if ("SC" in variant) {
    const { half: _, ...rest } = call;
    const TAIL = inGroup % (variant.KS * variant.K) === 0 ? 0 : 1;
    const { window, pairs } = matrixWindow(g, transposed);
    const shader = pairs ? matrixShader.twoPlaces : matrixShader.onePlace;
    const name = [TAIL ? "tail" : "", pairs ? "pairs" : ""].filter(Boolean).join(" ");
    x.device.run(
      shader({ ...rest, overrides: { BLOCKED: 0, TAIL }, variant: name, consts: { ...variant, ...window, TAPS: tapRoom(g) } }),
    );
  } else {
    const overrides = { BLOCKED: blocked, TAIL: inGroup % variant.STEP === 0 ? 0 : 1, RUN: readsRuns(g, transposed) ? 1 : 0 };
    const name = [kinds[blocked], overrides.TAIL ? "tail" : "", overrides.RUN ? "run" : ""].filter(Boolean).join(" ");
    const rest = { ...call, overrides, variant: name };
    if ("LC" in variant) x.device.run(windowShader({ ...rest, consts: { ...variant, TAPS: tapRoom(g) } }));
    else x.device.run(tileShader({ ...rest, consts: { ...variant, TAPS: tapRoom(g) } }));
  }
  packed?.weight.dispose();
}

// The input may be f16; weights never are.
function expectInputs(op: string, x: Tensor, weight: Tensor, bias: Tensor | undefined): void {
  if (half(x)) expectFloats(op, { input: x });
  expectTensors(op, { ...(half(x) ? {} : { input: x }), weight, ...(bias ? { bias } : {}) });
}

/** `[N, in, …]`, weight `[out, in / groups, taps…]` → `[N, out, …]`, with a residual added, with `relu` the positive part. */
export function conv(x: Tensor, weight: Tensor, bias: Tensor | undefined, g: ConvGeometry, ending: Ending = {}): Tensor {
  expectInputs("conv", x, weight, bias);
  return gather(g, false, x, weight, bias, g.outShape, ending);
}

/** `[N, in, …]`, weight `[in, out / groups, taps…]` → `[N, out, …]`. */
export function convTranspose(x: Tensor, weight: Tensor, bias: Tensor | undefined, g: ConvGeometry): Tensor {
  expectInputs("convTranspose", x, weight, bias);
  return gather(g, true, x, weight, bias, g.outShape);
}

/** Input gradient of `conv`, added to what there is of it. */
export function convInputGradient(dy: Tensor, weight: Tensor, g: ConvGeometry, inShape: Shape, sofar?: Tensor): Tensor {
  return gather(g, true, dy, weight, undefined, inShape, { residual: sofar });
}

/** Input gradient of `convTranspose`, added to what there is of it. */
export function convTransposeInputGradient(dy: Tensor, weight: Tensor, g: ConvGeometry, inShape: Shape, sofar?: Tensor): Tensor {
  return gather(g, false, dy, weight, undefined, inShape, { residual: sofar });
}

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
function shareOf(device: Device, tile: Exclude<ReturnType<typeof weightVariant>, Fourier>, a: number, b: number): Share {
  if (tile && "SA" in tile) return { TA: tile.SA * tile.RA * tile.M, TB: tile.SB * tile.RB * tile.N, taps: tile.TW };
  if (tile && "TB" in tile) return { TA: tile.PC * tile.PARTS, TB: tile.TB, taps: tile.KW };
  if (tile) return { TA: 4 * tile.AG * tile.R, TB: 4 * tile.BG * tile.R, taps: 1 };
  // A thread of a GPU has registers for 32 sums and the blocks that they are added to; more go to memory, where those of a software adapter are anyway.
  const most = device.software ? 16 : 8;
  return { TA: Math.min(most, a > 8 ? 16 : a > 4 ? 8 : 4), TB: b > 1 ? 4 : 1, taps: 1 };
}

/** Of a workgroup. */
function threadsOf(tile: Exclude<ReturnType<typeof weightVariant>, Fourier>, direct: number): number {
  if (!tile || "TB" in tile) return direct;
  return "SA" in tile ? tile.SA * tile.SB * tile.S : tile.AG * tile.BG * tile.KS;
}

function weightGradient({ g, small, large }: WeightGradient, weightShape: Shape): Tensor {
  const { device } = small;
  const [smallGroup, largeGroup] = [g.smallChannels / g.groups, g.largeChannels / g.groups];
  const tile = weightVariant(device, g, half(small));
  if (tile && "length" in tile) return weightGradientFourier({ g, small, large }, weightShape, tile.length);
  const { TA, TB, taps } = shareOf(device, tile, smallGroup, largeGroup);
  const pairs = g.taps[0] * g.taps[1] * Math.ceil(g.taps[2] / taps) * Math.ceil(largeGroup / TB); // of taps and b-channels
  // Lanes without weights work too in lib/channels_by_lane.
  const direct = hasLanes(device) ? 8 : pairs > 32 ? 64 : pairs > 8 ? 32 : 8;
  const WG = !tile ? direct : "TB" in tile ? THREADS : 1; // so many to a workgroup
  const [columns, tiles] = [Math.ceil(pairs / WG), g.groups * Math.ceil(smallGroup / TA)];
  const runs = slabsOf(device, g, columns * tiles, weightShape, threadsOf(tile, WG), tile && "SA" in tile ? RUN : blockElements);
  const { slabs } = runs;
  const blocked = runs.slab > runs.block;
  const partial = device.empty([slabs, ...weightShape]);
  const call = {
    half: half(small),
    params: {
      a_size: four(g.small),
      b_size: four(g.large),
      ...windows(g),
      a_channels: g.smallChannels,
      b_channels: g.largeChannels,
      a_pitch: g.smallChannels * sizeOf(g.small),
      b_pitch: g.largeChannels * sizeOf(g.large),
      a_group: smallGroup,
      b_group: largeGroup,
      ...runs,
      columns,
      tiles,
    },
    bind: { a: small, b: large, partial: write(partial) },
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
    device.run(weightGradientRowsShader({ ...call, consts: tile, overrides: { BLOCKED }, variant: kind.trim() }));
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

/** Bias gradient: the sum over samples and positions. */
export function convBiasGradient(dy: Tensor): Tensor {
  return reduceSum(dy, [0, ...dy.shape.map((_, i) => i).slice(2)], false);
}
