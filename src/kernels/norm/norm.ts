/** @file Normalization over groups of elements, with an activation: instance, group, layer and batch norm are one kernel. */

import { ShapeError } from "../../host/errors.ts";
import { update, write } from "../../tensor/kernel.ts";
import { sameShape, showShape } from "../../host/shape.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { expectFloats, expectTensors, half, instead } from "../lib/args.ts";
import { normInPieces, affineGradientInPieces, inputGradientInPieces, rectified, rectifiedGradient } from "./over_limit.ts";
import type { NormAffine, NormGeometry, Residual } from "./shape.ts";
import { isWide, slabsOf } from "./variants.ts";
import { fits } from "../lib/pieces.ts";
import { lanes, workgroupsToFill } from "../lib/occupancy.ts";
import { fold, grid } from "../lib/workgroups.ts";
import { binary } from "../pointwise.ts";
import { reduceSum } from "../reduce.ts";
import { affineGradientShader } from "../shaders/norm/affine_gradient.gen.ts";
import { BEFORE, BEHIND, NONE } from "../shaders/lib/residual.gen.ts";
import { forwardShader } from "../shaders/norm/forward.gen.ts";
import { gradientShader } from "../shaders/norm/gradient.gen.ts";
import { layerAffineGradientShader } from "../shaders/norm/layer_affine_gradient.gen.ts";
import { runningShader } from "../shaders/norm/running.gen.ts";
import { slabMomentsShader } from "../shaders/norm/slab_moments.gen.ts";
import { slabSumsShader } from "../shaders/norm/slab_sums.gen.ts";

const slopeTensor = ({ slope }: NormAffine): Tensor | undefined => (typeof slope === "object" ? slope : undefined);

/** As shaders/lib/residual.wgsl has it. */
export const codeOf = (residual?: Residual): number => (residual ? (residual.before ? BEFORE : BEHIND) : NONE);

// A run that does not end.
const whole = 2 ** 32 - 1;

interface Work {
  /** Elements of each of `items`, and the workgroups that share them. */
  readonly length: number;
  readonly slabs: number;
  readonly items: number;
  /** Four elements a thread. */
  readonly wide: boolean;
}

/** What the calls of these shaders share. */
function describe<O extends Readonly<Record<string, number>>>(
  x: Tensor,
  g: NormGeometry,
  affine: NormAffine,
  { length, slabs, items, wide }: Work,
  overrides: O,
) {
  const { slope = 1 } = affine;
  const width = wide ? 4 : 1;
  const pitch = g.runStep || g.groupsPerSample * g.groupStep; // of a sample
  const batch = g.runStep !== 0;
  const LANES = lanes(x.device);
  const run = g.run / width;
  return {
    consts: { LANES },
    overrides,
    variant: [...marksOf(overrides), ...(wide ? ["x4"] : [])].join(" "),
    half: half(x),
    params: {
      count: g.count / width,
      groups: g.groups,
      group_step: g.groupStep / width,
      run: batch ? run : whole,
      batch: batch ? 1 : 0,
      samples_on: batch ? Math.floor(LANES / run) : 0,
      place_on: batch ? LANES % run : LANES,
      groups_per_sample: g.groupsPerSample,
      channels_per_group: g.channelsPerGroup,
      inner: g.inner / width,
      affine: affine.weight ? 1 : 0,
      epsilon: g.eps,
      slab: Math.ceil(length / width / slabs),
      slabs,
      slopes: slopeTensor(affine)?.size ?? 0,
      slope: typeof slope === "number" ? slope : 0,
      x_pitch: pitch,
      y_pitch: pitch,
      residual_pitch: pitch,
      dx_pitch: pitch,
      dy_pitch: pitch,
    },
    workgroups: fold(x.device, "norm", items * slabs),
  };
}

/** The overrides that are not 0, as a program's name has them. */
const marksOf = (overrides: Readonly<Record<string, number>>): string[] =>
  Object.entries(overrides).flatMap(([name, n]) => (n === 0 ? [] : [name.toLowerCase() + (n > 1 ? n : "")]));

const perChannel = (x: Tensor, affine: NormAffine) => ({
  weight: affine.weight ?? instead(x),
  bias: affine.bias ?? instead(x),
  slope: slopeTensor(affine) ?? instead(x),
});

/** The result and, per group, mean, 1 / standard deviation and what the mean lacks, for the gradients. */
export function norm(x: Tensor, affine: NormAffine, g: NormGeometry, residual?: Residual): { y: Tensor; stats: Tensor } {
  const { weight, bias } = affine;
  expectFloats("norm", { input: x });
  const given = Object.entries({ weight, bias, slope: slopeTensor(affine) }).filter((entry) => entry[1] !== undefined);
  expectTensors("norm", Object.fromEntries(given) as Record<string, Tensor>);
  if (!fits(x)) {
    const { y: z, stats } = normInPieces(x, weight, bias, g);
    return { y: rectified(z, affine.slope, residual), stats };
  }
  const { device } = x;
  const y = device.empty(x.shape, x.dtype);
  const stats = device.empty([Math.max(1, g.groups), 3]); // of an empty batch too, for the bindings
  if (x.size === 0) return { y, stats };
  const n = slabsOf(device, g, g.count);
  const wide = isWide(g);
  const kind = wide ? "wide" : "scalar";
  const size = { length: g.count, slabs: n, items: g.groups, wide };
  let moments: Tensor | undefined;
  if (n > 1) {
    moments = device.empty([g.groups, n, 3]);
    const { overrides: _, ...call } = describe(x, g, {}, size, {});
    device.run(slabMomentsShader[kind]({ ...call, bind: { x, slab_moments: write(moments) } }));
  }
  const on = { SLABS: n > 1 ? 1 : 0, CHANNELS: g.channelsPerGroup > 1 ? 1 : 0, RESIDUAL: codeOf(residual) };
  device.run(
    forwardShader[kind]({
      ...describe(x, g, affine, size, on),
      bind: {
        x,
        ...perChannel(x, affine),
        slab_moments: moments ?? instead(x),
        residual: residual?.tensor ?? instead(x),
        y: write(y),
        stats: write(stats),
      },
    }),
  );
  moments?.dispose();
  return { y, stats };
}

export interface NormGradients {
  readonly dx: Tensor;
  readonly dWeight?: Tensor;
  readonly dBias?: Tensor;
  readonly dSlope?: Tensor;
}

/**
 * Gradients of `norm`, those per channel unless `channels` is false.
 * @param sofar what other operations gave to the gradient of `x`: `dx` is the sum, in its place where nobody else has that memory
 * @param each every element of a group is a channel of its own: layer norm, without slope and with its own kernel for the gradients per channel
 */
export function normGradients(
  x: Tensor,
  affine: NormAffine,
  stats: Tensor,
  dy: Tensor,
  g: NormGeometry,
  { channels = true, each = false, sofar }: { channels?: boolean; each?: boolean; sofar?: Tensor | undefined } = {},
): NormGradients {
  const { weight } = affine;
  if (!fits(x)) {
    const { dz, dSlope } = rectifiedGradient(x, affine, stats, dy, g);
    const dx = plus(inputGradientInPieces(x, weight, stats, dz, g), sofar);
    const rest = channels && weight ? affineGradientInPieces(x, stats, dz, g) : {};
    if (dz !== dy) dz.dispose();
    return { dx, dSlope, ...rest };
  }
  const { device } = x;
  const inPlace = sofar?.storage.shared === false;
  const dx = inPlace ? sofar!.view(x.shape) : device.empty(x.shape, x.dtype);
  const perGroup = each ? 1 : g.channelsPerGroup;
  const n = slabsOf(device, g, g.count / perGroup);
  const sums = device.empty([Math.max(1, n * g.groups * perGroup), 3]);
  if (x.size > 0) {
    // The weights of layer norm are no channel's, but factors of dy.
    const [own, after] = each ? [{ ...g, channelsPerGroup: 1, inner: g.count }, {}] : [g, affine];
    const given = { x, ...perChannel(x, affine), stats, dy };
    const wide = isWide(g);
    const kind = wide ? "wide" : "scalar";
    const EACH = each && weight ? 1 : 0;
    const first = n > 1 || perGroup > 1; // the sums in a pass of their own
    if (first) {
      const size = { length: g.count / perGroup, slabs: n, items: g.groups * perGroup, wide };
      device.run(slabSumsShader[kind]({ ...describe(x, own, after, size, { EACH }), bind: { ...given, sums: write(sums) } }));
    }
    const size = { length: g.count, slabs: n, items: g.groups, wide };
    const CHANNELS = own.channelsPerGroup > 1 ? 1 : 0;
    device.run(
      gradientShader[kind]({
        ...describe(x, own, after, size, { EACH, GIVEN: first ? 1 : 0, CHANNELS, ADDED: inPlace ? 1 : 0 }),
        bind: { ...given, dx: inPlace ? update(dx) : write(dx), sums: first ? update(sums) : write(sums) },
      }),
    );
  }
  const rest = channels ? channelGradients(x, affine, sums, g, n) : {};
  sums.dispose();
  return { dx: inPlace ? dx : plus(dx, sofar), ...rest };
}

/** The sum, which takes `dx` over. */
function plus(dx: Tensor, sofar: Tensor | undefined): Tensor {
  if (!sofar) return dx;
  const sum = binary("add", sofar, dx);
  dx.dispose();
  return sum;
}

function channelGradients(x: Tensor, affine: NormAffine, sums: Tensor, g: NormGeometry, n: number): Omit<NormGradients, "dx"> {
  const { device } = x;
  const slopes = slopeTensor(affine)?.size ?? 0;
  if (!affine.weight && slopes === 0) return {};
  const channels = g.groupsPerSample * g.channelsPerGroup;
  const [dWeight, dBias, dSlope] = [channels, channels, Math.max(1, slopes)].map((size) => device.empty([size]));
  device.run(
    affineGradientShader({
      consts: { LANES: lanes(device) },
      params: { channels, rows: x.size === 0 ? 0 : (n * g.groups * g.channelsPerGroup) / channels, slopes },
      bind: { sums, d_weight: write(dWeight), d_bias: write(dBias), d_slope: write(dSlope) },
      workgroups: [1, 1, 1],
    }),
  );
  const wanted = { ...(affine.weight ? { dWeight, dBias } : {}), ...(slopes > 0 ? { dSlope } : {}) };
  for (const t of [dWeight, dBias, dSlope]) if (!Object.values(wanted).includes(t)) t.dispose();
  return wanted;
}

// At most this many groups are added in sequence; more slabs of them give a device with many cores work.
const slabGroups = 256;

/** The same for layer norm, where neighboring elements are different channels: a thread per element and slab of groups. */
export function layerNormAffineGradient(
  x: Tensor,
  stats: Tensor,
  dy: Tensor,
  g: NormGeometry,
): { dWeight: Tensor; dBias: Tensor } {
  if (!fits(x)) return affineGradientInPieces(x, stats, dy, g);
  const { device } = x;
  const slab = Math.max(1, Math.min(slabGroups, Math.ceil(g.groups / workgroupsToFill(device, "layerNormSlabs"))));
  const number = Math.max(1, Math.ceil(g.groups / slab));
  const partial = [0, 1].map(() => device.empty([number, g.count]));
  device.run(
    layerAffineGradientShader({
      consts: { LANES: 64 },
      half: half(x),
      params: { count: g.count, groups: g.groups, slab, slabs: number },
      bind: { x, stats, dy, d_weight: write(partial[0]), d_bias: write(partial[1]) },
      workgroups: grid(device, "layerNorm", number * Math.ceil(g.count / 64) * 64, 64),
    }),
  );
  const [dWeight, dBias] = partial.map((sums) => {
    const total = number === 1 ? sums.view([g.count]) : reduceSum(sums, [0], false);
    sums.dispose();
    return total;
  });
  return { dWeight, dBias };
}

/** Moves running statistics towards those of a batch: mean and unbiased variance, as PyTorch. */
export function normRunning(stats: Tensor, runningMean: Tensor, runningVar: Tensor, g: NormGeometry, momentum: number): void {
  expectTensors("batchNorm", { stats, "running mean": runningMean, "running variance": runningVar });
  for (const { shape } of [runningMean, runningVar]) {
    if (!sameShape(shape, [g.groups]))
      throw new ShapeError(`batchNorm: running statistics ${showShape(shape)} must be [${g.groups}]`);
  }
  stats.device.run(
    runningShader({
      params: { channels: g.groups, epsilon: g.eps, momentum, unbias: g.count / Math.max(1, g.count - 1) },
      bind: { stats, running_mean: update(runningMean), running_var: update(runningVar) },
      workgroups: grid(stats.device, "batchNorm", g.groups, 64),
    }),
  );
}
