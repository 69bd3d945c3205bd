/** @file Normalisation over groups of elements, with an activation: instance, group, layer and batch norm are one kernel. */

import type { Device } from "../../tensor/device.ts";
import { ShapeError } from "../../host/errors.ts";
import { type Binding, read, update, write } from "../../tensor/kernel.ts";
import { sameShape, showShape } from "../../host/shape.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { expectFloats, expectTensors, half } from "../lib/args.ts";
import { chosen } from "../lib/choices.ts";
import { normParts, normPartsAffineGradient, normPartsInputGradient, rectified, rectifiedGradient } from "./over_limit.ts";
import type { NormAffine, NormGeometry } from "./shape.ts";
import { fits } from "../lib/pieces.ts";
import { fold, grid, lanes, program } from "../lib/program.ts";
import { reduceSum } from "../reduce.ts";
import type { ShaderName } from "../shaders.gen.ts";

const slopeTensor = ({ slope }: NormAffine): Tensor | undefined => (typeof slope === "object" ? slope : undefined);

/** Four elements a thread, where neither runs nor channels end inside. */
const widthOf = (g: NormGeometry): 1 | 4 => (g.run % 4 === 0 && g.inner % 4 === 0 ? 4 : 1);

// Workgroups that fill a GPU, and elements for each below which more of them do not pay. From occupancy: 256 threads keep some 10 GB/s in flight.
const busy = 512;
const share = 16_384;

// Workgroups per group, or per channel of a group, of `length` elements.
const whole = () => 1;
const slabs = (g: NormGeometry, length: number) => {
  const wanted = Math.max(2, Math.min(64, Math.ceil(busy / Math.max(1, g.groups)), Math.floor(length / share)));
  const slab = Math.ceil(length / widthOf(g) / wanted);
  return Math.ceil(length / widthOf(g) / slab);
};

/** The number that pays: on hardware slabs, for a few large groups. `device.choices` may say otherwise. */
function parts(device: Device, g: NormGeometry, length: number): number {
  const few = !device.software && g.groups < busy / 8 && g.count >= 8 * share && length >= 2 * share;
  return chosen(device, "norm", { whole, slabs }, few ? "slabs" : "whole")(g, length);
}

interface Work {
  readonly shader: ShaderName;
  readonly libs: readonly ShaderName[];
  readonly overrides?: Readonly<Record<string, number>>;
  readonly bindings: readonly Binding[];
  /** Elements of each of `items`, and the workgroups that share them. */
  readonly length: number;
  readonly slabs: number;
  readonly items: number;
  readonly width: 1 | 4;
}

function dispatch(x: Tensor, g: NormGeometry, affine: NormAffine, work: Work): void {
  const { slope = 1 } = affine;
  const { overrides = {}, slabs, width } = work;
  const variant = [...Object.keys(overrides).filter((name) => overrides[name] === 1), ...(width === 4 ? ["x4"] : [])];
  const [count, groupStep, run, runStep, inner, length] = [g.count, g.groupStep, g.run, g.runStep, g.inner, work.length].map(
    (n) => n / width,
  );
  x.device.run({
    program: program(work.shader, {
      libs: ["lib/grid", "lib/tree", width === 4 ? "lib/wide" : "lib/scalar", "lib/norm", ...work.libs],
      consts: { LANES: lanes(x.device) },
      overrides,
      variant: variant.join(" ").toLowerCase(),
      half: half(x),
    }),
    bindings: work.bindings,
    params: [
      count,
      g.groups,
      groupStep,
      run,
      runStep,
      g.groupsPerSample,
      g.channelsPerGroup,
      inner,
      affine.weight ? 1 : 0,
      { f32: g.eps },
      Math.ceil(length / slabs),
      slabs,
      slopeTensor(affine)?.size ?? 0,
      { f32: typeof slope === "number" ? slope : 0 },
    ],
    workgroups: fold(x.device, "norm", work.items * slabs),
  });
}

const perChannel = (x: Tensor, affine: NormAffine): Binding[] =>
  [affine.weight, affine.bias, slopeTensor(affine)].map((t) => read(t ?? x));

/** The result and, per group, mean, 1 / standard deviation and what the mean lacks, for the gradients. */
export function norm(x: Tensor, affine: NormAffine, g: NormGeometry): { y: Tensor; stats: Tensor } {
  const { weight, bias } = affine;
  expectFloats("norm", { input: x });
  const given = Object.entries({ weight, bias, slope: slopeTensor(affine) }).filter((entry) => entry[1] !== undefined);
  expectTensors("norm", Object.fromEntries(given) as Record<string, Tensor>);
  if (!fits(x)) {
    const { y: z, stats } = normParts(x, weight, bias, g);
    return { y: rectified(z, affine.slope), stats };
  }
  const { device } = x;
  const y = device.empty(x.shape, x.dtype);
  const stats = device.empty([Math.max(1, g.groups), 3]); // of an empty batch too, for the bindings
  if (x.size === 0) return { y, stats };
  const n = parts(device, g, g.count);
  const size = { length: g.count, slabs: n, items: g.groups, width: widthOf(g) };
  let moments: Tensor | undefined;
  if (n > 1) {
    moments = device.empty([g.groups, n, 3]);
    dispatch(x, g, {}, { shader: "norm/slab_moments", libs: ["lib/norm_moments"], bindings: [read(x), write(moments)], ...size });
  }
  dispatch(x, g, affine, {
    shader: "norm/forward",
    libs: ["lib/norm_moments", "lib/norm_affine"],
    overrides: { SLABS: n > 1 ? 1 : 0 },
    bindings: [read(x), ...perChannel(x, affine), read(moments ?? x), write(y), write(stats)],
    ...size,
  });
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
 * @param each every element of a group is a channel of its own: layer norm, without slope and with its own kernel for the gradients per channel
 */
export function normGradients(
  x: Tensor,
  affine: NormAffine,
  stats: Tensor,
  dy: Tensor,
  g: NormGeometry,
  { channels = true, each = false } = {},
): NormGradients {
  const { weight } = affine;
  if (!fits(x)) {
    const { dz, dSlope } = rectifiedGradient(x, affine, stats, dy, g);
    const dx = normPartsInputGradient(x, weight, stats, dz, g);
    const rest = channels && weight ? normPartsAffineGradient(x, stats, dz, g) : {};
    if (dz !== dy) dz.dispose();
    return { dx, dSlope, ...rest };
  }
  const { device } = x;
  const dx = device.empty(x.shape, x.dtype);
  const perGroup = each ? 1 : g.channelsPerGroup;
  const n = parts(device, g, g.count / perGroup);
  const sums = device.empty([Math.max(1, n * g.groups * perGroup), 3]);
  if (x.size > 0) {
    const libs = ["lib/norm_affine", "lib/norm_sums"] as const;
    // The weights of layer norm are no channel's, but factors of dy.
    const [own, after] = each ? [{ ...g, channelsPerGroup: 1, inner: g.count }, {}] : [g, affine];
    const given = [read(x), ...perChannel(x, affine), read(stats), read(dy)];
    const shared = { libs, width: widthOf(g), slabs: n };
    const EACH = each && weight ? 1 : 0;
    const GIVEN = n > 1 || perGroup > 1 ? 1 : 0;
    if (GIVEN) {
      const size = { length: g.count / perGroup, items: g.groups * perGroup };
      const bindings = [...given, write(sums)];
      dispatch(x, own, after, { ...shared, ...size, shader: "norm/slab_sums", overrides: { EACH }, bindings });
    }
    dispatch(x, own, after, {
      ...shared,
      shader: "norm/gradient",
      overrides: { EACH, GIVEN },
      bindings: [...given, write(dx), GIVEN ? update(sums) : write(sums)],
      length: g.count,
      items: g.groups,
    });
  }
  const rest = channels ? channelGradients(x, affine, sums, g, n) : {};
  sums.dispose();
  return { dx, ...rest };
}

function channelGradients(x: Tensor, affine: NormAffine, sums: Tensor, g: NormGeometry, n: number): Omit<NormGradients, "dx"> {
  const { device } = x;
  const slopes = slopeTensor(affine)?.size ?? 0;
  if (!affine.weight && slopes === 0) return {};
  const channels = g.groupsPerSample * g.channelsPerGroup;
  const [dWeight, dBias, dSlope] = [channels, channels, Math.max(1, slopes)].map((size) => device.empty([size]));
  device.run({
    program: program("norm/affine_gradient", { libs: ["lib/tree"], consts: { LANES: lanes(device) } }),
    bindings: [read(sums), write(dWeight), write(dBias), write(dSlope)],
    params: [channels, x.size === 0 ? 0 : (n * g.groups * g.channelsPerGroup) / channels, slopes],
    workgroups: [1, 1, 1],
  });
  const wanted = { ...(affine.weight ? { dWeight, dBias } : {}), ...(slopes > 0 ? { dSlope } : {}) };
  for (const t of [dWeight, dBias, dSlope]) if (!Object.values(wanted).includes(t)) t.dispose();
  return wanted;
}

// At most this many groups are added in sequence; more slabs of them give a device with many cores work.
const slabGroups = 256;

/** The same for layer norm, where neighbouring elements are different channels: a thread per element and slab of groups. */
export function layerNormAffineGradient(
  x: Tensor,
  stats: Tensor,
  dy: Tensor,
  g: NormGeometry,
): { dWeight: Tensor; dBias: Tensor } {
  if (!fits(x)) return normPartsAffineGradient(x, stats, dy, g);
  const { device } = x;
  const slab = Math.max(1, Math.min(slabGroups, Math.ceil(g.groups / (device.software ? 4 : 64))));
  const number = Math.max(1, Math.ceil(g.groups / slab));
  const partial = [0, 1].map(() => device.empty([number, g.count]));
  device.run({
    program: program("norm/layer_affine_gradient", { libs: ["lib/grid"], consts: { LANES: 64 }, half: half(x) }),
    bindings: [read(x), read(stats), read(dy), ...partial.map((t) => write(t))],
    params: [g.count, g.groups, slab, number],
    workgroups: grid(device, "layerNorm", number * Math.ceil(g.count / 64) * 64, 64),
  });
  const [dWeight, dBias] = partial.map((part) => {
    const total = number === 1 ? part.view([g.count]) : reduceSum(part, [0], false);
    part.dispose();
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
  stats.device.run({
    program: program("norm/running", { libs: ["lib/grid"] }),
    bindings: [read(stats), update(runningMean), update(runningVar)],
    params: [g.groups, { f32: g.eps }, { f32: momentum }, { f32: g.count / Math.max(1, g.count - 1) }],
    workgroups: grid(stats.device, "batchNorm", g.groups, 64),
  });
}
