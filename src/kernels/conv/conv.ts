/**
 * @file Convolution and transposed convolution in one, two and three dimensions (2-D is depth 1). Both directions and both input
 * gradients are one gather kernel; both weight gradients are another, summed over slabs of rows by `reduce`.
 */

import { sizeOf } from "../../host/array.ts";
import { read, write } from "../../tensor/kernel.ts";
import type { Shape } from "../../host/shape.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { expectFloats, expectTensors, half } from "../lib/args.ts";
import { type Gather, gatherParts, weightGradientParts } from "./over_limit.ts";
import type { ConvGeometry } from "./shape.ts";
import { gatherVariant, weightVariant } from "./variants.ts";
import { fold, program } from "../lib/program.ts";
import { reduceSum } from "../reduce.ts";

function gather(
  g: ConvGeometry,
  transposed: boolean,
  x: Tensor,
  weight: Tensor,
  bias: Tensor | undefined,
  outShape: Shape,
  relu = false,
): Tensor {
  const y = x.device.empty(outShape, x.dtype);
  if (y.size > 0) gatherParts({ g, transposed, x, weight, bias, y, relu }, dispatch);
  return y;
}

function dispatch({ g, transposed, x, weight, bias, y, relu }: Gather): void {
  const [inSize, outSize] = transposed ? [g.small, g.large] : [g.large, g.small];
  const [inChannels, outChannels] = transposed ? [g.smallChannels, g.largeChannels] : [g.largeChannels, g.smallChannels];
  const taps = sizeOf(g.taps);
  const [inGroup, outGroup] = [inChannels / g.groups, outChannels / g.groups];
  // The weight is [small, large / groups, taps] for both kinds.
  const [weightOut, weightIn] = transposed ? [taps, outGroup * taps] : [inGroup * taps, taps];
  const variant = gatherVariant(x.device, g, transposed, half(x));
  const direct = "TP" in variant;
  const [positions, channels] = direct
    ? [64 * variant.TP, variant.TC]
    : [4 * variant.PG * variant.RP, 4 * variant.CG * variant.RC];
  const phases = transposed ? sizeOf(g.stride) : 1;
  const pixels = transposed ? g.large.reduce((n, size, i) => n * Math.ceil(size / g.stride[i]), 1) : sizeOf(outSize);
  const tiles = Math.ceil((g.samples * pixels) / positions);
  const channelTiles = g.groups * Math.ceil(outGroup / channels);
  x.device.run({
    program: program(direct ? "conv/gather" : "conv/shared", {
      libs: ["lib/grid", "lib/conv"],
      consts: { ...variant },
      half: half(x),
    }),
    bindings: [read(x), read(weight), read(bias ?? weight), write(y)],
    params: [
      [inSize, outSize, g.taps, g.stride, g.dilation, g.padding].flatMap((t) => [...t, 0]),
      [inChannels, outChannels, inGroup, outGroup, weightOut, weightIn, inGroup * outGroup * taps],
      [transposed ? 1 : 0, bias ? 1 : 0, g.samples, relu ? 1 : 0, channelTiles, tiles],
    ].flat(),
    workgroups: fold(x.device, "conv", tiles * channelTiles * phases),
  });
}

// The input may be f16; weights never are.
function expectInputs(op: string, x: Tensor, weight: Tensor, bias: Tensor | undefined): void {
  if (half(x)) expectFloats(op, { input: x });
  expectTensors(op, { ...(half(x) ? {} : { input: x }), weight, ...(bias ? { bias } : {}) });
}

/** `[N, in, …]`, weight `[out, in / groups, taps…]` → `[N, out, …]`, with `relu` its positive part. */
export function conv(x: Tensor, weight: Tensor, bias: Tensor | undefined, g: ConvGeometry, relu = false): Tensor {
  expectInputs("conv", x, weight, bias);
  return gather(g, false, x, weight, bias, g.outShape, relu);
}

/** `[N, in, …]`, weight `[in, out / groups, taps…]` → `[N, out, …]`. */
export function convTranspose(x: Tensor, weight: Tensor, bias: Tensor | undefined, g: ConvGeometry): Tensor {
  expectInputs("convTranspose", x, weight, bias);
  return gather(g, true, x, weight, bias, g.outShape);
}

/** Input gradient of `conv`. */
export function convInputGradient(dy: Tensor, weight: Tensor, g: ConvGeometry, inShape: Shape): Tensor {
  return gather(g, true, dy, weight, undefined, inShape);
}

/** Input gradient of `convTranspose`. */
export function convTransposeInputGradient(dy: Tensor, weight: Tensor, g: ConvGeometry, inShape: Shape): Tensor {
  return gather(g, false, dy, weight, undefined, inShape);
}

// At most this many products are added in sequence before partial sums are combined: bounds the f32 error and gives the device work.
const slabElements = 4096;
// Partial sums above this have four times as many terms each: 128 to 128 channels of 3³ taps at 64³ would take 113 MB.
const slabBytes = 2 ** 25;

/** Weight gradient of either kind: `small` is the output gradient of `conv` or the input of `convTranspose`, `large` the other one. */
export function convWeightGradient(small: Tensor, large: Tensor, g: ConvGeometry, weightShape: Shape): Tensor {
  return weightGradientParts(small, large, g, weightShape, weightGradient);
}

function weightGradient(small: Tensor, large: Tensor, g: ConvGeometry, weightShape: Shape): Tensor {
  const { device } = small;
  const [smallGroup, largeGroup] = [g.smallChannels / g.groups, g.largeChannels / g.groups];
  const shared = weightVariant(device, g, half(small));
  const TA = shared ? 4 * shared.CG : smallGroup > 8 ? 16 : smallGroup > 4 ? 8 : 4;
  const TB = shared ? 4 * shared.PG : largeGroup > 4 ? 8 : largeGroup > 1 ? 4 : 1;
  const columns = sizeOf(g.taps) * Math.ceil(largeGroup / TB);
  const WG = shared ? 1 : columns > 32 ? 64 : columns > 8 ? 32 : 8; // columns per workgroup
  const rows = g.samples * g.small[0] * g.small[1];
  const tiles = g.groups * Math.ceil(smallGroup / TA);
  const across = Math.ceil(columns / WG) * tiles;
  // Enough slabs to fill the device: a software adapter wants a few per core, a GPU thousands of threads.
  const busy = Math.ceil((device.software ? 16 : 1024) / across);
  const terms = rows * g.small[2];
  const bytes = 4 * sizeOf(weightShape);
  // As many as precision asks for, fewer where their sums would take too much memory.
  const precise = Math.min(
    Math.ceil(terms / slabElements),
    Math.max(Math.ceil(terms / (4 * slabElements)), Math.floor(slabBytes / bytes)),
  );
  const most = Math.min(rows, Math.floor(device.maxBindingSize / bytes));
  const slabs = Math.max(1, Math.min(most, Math.max(busy, precise)));
  // At least one slab: it writes the zeros of an empty batch.
  const slab = Math.max(1, Math.ceil(rows / slabs));
  const count = Math.max(1, Math.ceil(rows / slab));
  const partial = device.empty([count, ...weightShape]);
  device.run({
    program: shared
      ? program("conv/weight_gradient_shared", {
          libs: ["lib/grid", "lib/conv_weight"],
          consts: { ...shared },
          half: half(small),
        })
      : program("conv/weight_gradient", {
          libs: ["lib/grid", "lib/conv_weight"],
          consts: { TA, TB },
          overrides: { WG },
          half: half(small),
        }),
    bindings: [read(small), read(large), write(partial)],
    params: [
      [g.small, g.large, g.taps, g.stride, g.dilation, g.padding].flatMap((t) => [...t, 0]),
      [g.smallChannels, g.largeChannels, smallGroup, largeGroup, rows, slab, Math.ceil(columns / WG), tiles, count],
    ].flat(),
    workgroups: fold(device, "conv", across * count),
  });
  if (count === 1) {
    const weight = partial.view(weightShape);
    partial.dispose();
    return weight;
  }
  const weight = reduceSum(partial, [0], false).view(weightShape);
  partial.dispose();
  return weight;
}

/** Bias gradient: the sum over samples and positions. */
export function convBiasGradient(dy: Tensor): Tensor {
  return reduceSum(dy, [0, ...dy.shape.map((_, i) => i).slice(2)], false);
}
