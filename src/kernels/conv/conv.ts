/**
 * @file Convolution and transposed convolution in one, two and three dimensions (2-D is depth 1). Both directions and both input
 * gradients are one gather kernel.
 */

import { sizeOf } from "../../host/array.ts";
import { write } from "../../tensor/kernel.ts";
import type { Shape } from "../../host/shape.ts";
import type { Device } from "../../tensor/device.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { expectFloats, expectTensors, half, instead } from "../lib/args.ts";
import { type Gather, gatherPieces } from "./over_limit.ts";
import { gatherFourier, packRows, pointGrid, pointShader, rowsGrid, rowsShader } from "#lanes";
import { type ConvGeometry, four, windowWords } from "./shape.ts";
import { type MatrixTile, matrixWindow, packMatrix } from "./matrix.ts";
import { type Packed, packWeights, readsRuns, tapRoom, type Tile } from "./tile.ts";
import type { WindowTile } from "./window.ts";
import { type Direct, gatherVariant } from "./variants.ts";
import { hasLanes } from "../lib/subgroups.ts";
import { fits } from "../lib/pieces.ts";
import { fold } from "../lib/workgroups.ts";
import { binary, unary } from "../pointwise.ts";
import { reduceSum } from "../reduce.ts";
import { gatherShader } from "../shaders/conv/gather.gen.ts";
import { BLOCK } from "../shaders/lib/conv.gen.ts";
import { matrixShader } from "../shaders/conv/matrix.gen.ts";
import { tileShader } from "../shaders/conv/tile.gen.ts";
import { LANES, LP, windowShader } from "../shaders/conv/window.gen.ts";
import * as apart from "../shaders/lib/weights_apart.gen.ts";
import * as byLane from "../shaders/lib/weights_by_lane.gen.ts";

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
  const { across, tiles, phases } =
    "SW" in variant
      ? rowsGrid(g, transposed, variant)
      : "PC" in variant
        ? pointGrid(g, transposed, variant)
        : gridOf(x.device, g, transposed, variant);
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
      ...windowWords(g),
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
  if ("SW" in variant) {
    const w = packRows(weight, g, { ...layout, transposed }, variant);
    // Blocks cost nothing here, and one program does for few and many channels.
    const BLOCKED = Math.max(1, blocked);
    x.device.run(
      rowsShader({ ...call, bind: { ...call.bind, w }, overrides: { BLOCKED }, variant: kinds[BLOCKED], consts: variant }),
    );
    w.dispose();
  } else if ("PC" in variant) {
    x.device.run(pointShader({ ...call, overrides: { BLOCKED: 1 }, variant: "", consts: variant }));
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

/** Bias gradient: the sum over samples and positions. */
export function convBiasGradient(dy: Tensor): Tensor {
  return reduceSum(dy, [0, ...dy.shape.map((_, i) => i).slice(2)], false);
}
