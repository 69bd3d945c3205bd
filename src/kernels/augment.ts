/**
 * @file Augmentation on the device: what is drawn comes as data, a few numbers per sample, so that the same draws give the same images for any number of
 * workers and after a resume. No gradients: these change data.
 */

import { expectWord } from "../host/words.ts";
import { sizeOf } from "../host/array.ts";
import { ConfigError, ShapeError } from "../host/errors.ts";
import { expectOptions } from "../host/options.ts";
import { sameShape, type Shape, showShape } from "../host/shape.ts";
import { update, write } from "../tensor/kernel.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { expectTensors } from "./lib/args.ts";
import { expectPerChannel, planesOf, settle, spatialOf } from "./lib/augmented.ts";
import { perThread } from "./lib/occupancy.ts";
import { lines } from "./lib/workgroups.ts";
import { padAxes } from "./resample.ts";
import { intensityShader, NUMBERS, STATISTICS } from "./shaders/augment/intensity.gen.ts";
import { lowResolutionShader } from "./shaders/augment/low_resolution.gen.ts";
import { splineShader } from "./shaders/augment/spline.gen.ts";
import { warpBothShader } from "./shaders/augment/warp_both.gen.ts";
import { warpLinearShader } from "./shaders/augment/warp_linear.gen.ts";
import { warpNearestShader } from "./shaders/augment/warp_nearest.gen.ts";
import { BORDER, REFLECTION, ZEROS } from "./shaders/lib/warp.gen.ts";
import { expectArguments } from "../host/kinds.ts";

/** Options of `warp`. */
export interface WarpOptions {
  /** Spatial size of the result; default that of `x`. */
  readonly size?: Shape;
  /** "nearest" for labels, which must not be mixed. Default "bilinear" (trilinear for volumes). */
  readonly mode?: "bilinear" | "nearest";
  /** What lies outside: zeros, the border elements, or the image reflected about their outer edges. Default "zeros". */
  readonly paddingMode?: "zeros" | "border" | "reflection";
  /** `[N, axes, …size]` in elements of `x`. */
  readonly displacement?: Tensor;
  /** `[N, axes, knots…]`, in place of `displacement`: control points that `splineField` would make it of, so that it need not be stored. */
  readonly knots?: Tensor;
}

const paddings = { zeros: ZEROS, border: BORDER, reflection: REFLECTION } as const;
const shaders = { nearest: warpNearestShader, bilinear: warpLinearShader } as const;

/**
 * Crop, affine map, flip and elastic deformation in one pass: y(o) = x(matrix · (o, 1) + displacement(o)), positions in elements, 0 the center of
 * the first.
 * @param x `[N, C, spatial…]`, one to three spatial axes
 * @param matrix `[N, axes, axes + 1]`, the axes in the order of `x`'s
 * @returns `[N, C, …size]`
 * @throws ShapeError, ConfigError for unknown modes, DTypeError for what is not f32
 */
export function warp(x: Tensor, matrix: Tensor, options: WarpOptions = {}): Tensor {
  const op = "warp";
  expectOptions(op, options, "size mode paddingMode displacement knots");
  const { mode = "bilinear" } = options;
  expectWord(op, "mode", mode, shaders);
  const { size, params, workgroups, displacement } = places(op, x, matrix, options);
  const y = x.device.empty([...x.shape.slice(0, 2), ...size]);
  if (y.size > 0)
    x.device.run(
      shaders[mode]({
        consts: { AXES: size.length },
        params: { ...params, labels: 0 },
        bind: { matrix, displacement, x, y: write(y) },
        workgroups,
      }),
    );
  if (options.knots) displacement.dispose();
  return y;
}

/** An image as `warp` moves it, and its labels with mode "nearest": positions are worked out once for both. @throws as `warp`, ShapeError for labels of another size */
export function warpBoth(x: Tensor, labels: Tensor, matrix: Tensor, options: Omit<WarpOptions, "mode">): [Tensor, Tensor] {
  const op = "warp";
  expectTensors(op, { input: x, labels });
  if (!sameShape(labels.shape.with(1, x.shape[1]), x.shape))
    throw new ShapeError(`${op}: labels ${showShape(labels.shape)} must be of the size of the image ${showShape(x.shape)}`);
  const { size, params, workgroups, displacement } = places(op, x, matrix, options);
  const [y, marks] = [x, labels].map((t) => t.device.empty([...t.shape.slice(0, 2), ...size]));
  if (y.size > 0)
    x.device.run(
      warpBothShader({
        consts: { AXES: size.length },
        params: { ...params, labels: labels.shape[1] },
        bind: { matrix, displacement, x, y: write(y), labels, marks: write(marks) },
        workgroups,
      }),
    );
  if (options.knots) displacement.dispose();
  return [y, marks];
}

/** Size of the result, and what a dispatch has to know of it. Of knots the displacement is made along all axes but H, which the kernel goes along. */
function places(op: string, x: Tensor, matrix: Tensor, options: Omit<WarpOptions, "mode">) {
  const { paddingMode = "zeros", displacement, knots } = options;
  expectTensors(op, { input: x, matrix, ...(displacement && { displacement }), ...(knots && { knots }) });
  if (displacement && knots) throw new ConfigError(`${op}: takes displacement or knots, not both`);
  const spatial = spatialOf(op, x.shape);
  const size = options.size ?? spatial;
  const [n, c] = x.shape;
  const axes = spatial.length;
  expectWord(op, "paddingMode", paddingMode, paddings);
  if (size.length !== axes || size.some((s) => !Number.isInteger(s) || s < 1))
    throw new ShapeError(`${op}: size [${size}] must be ${axes} positive integers for ${showShape(x.shape)}`);
  if (!sameShape(matrix.shape, [n, axes, axes + 1]))
    throw new ShapeError(
      `${op}: matrix ${showShape(matrix.shape)} must be [${n}, ${axes}, ${axes + 1}] for ${showShape(x.shape)}`,
    );
  if (displacement && !sameShape(displacement.shape, [n, axes, ...size])) {
    throw new ShapeError(`${op}: displacement ${showShape(displacement.shape)} must be ${showShape([n, axes, ...size])}`);
  }
  if (knots && (knots.rank !== axes + 2 || knots.shape[0] !== n || knots.shape[1] !== axes))
    throw new ShapeError(`${op}: knots ${showShape(knots.shape)} must be [${n}, ${axes}, ${axes} numbers of knots]`);
  if (knots) expectKnots(op, knots);
  const row = axes - 2;
  const padded = padAxes(size, 1);
  const rows = perThread(x.device);
  const { threads, workgroups } = lines(x.device, [padded[2], Math.ceil(padded[1] / rows), padded[0] * n], 64);
  const params = {
    threads,
    in_size: [...padAxes(spatial, 1), c] as const,
    out_size: [...padded, n] as const,
    padding: paddings[paddingMode],
    elastic: knots && row >= 0 ? knots.shape[row + 2] : knots || displacement ? 1 : 0,
    rows,
  };
  const partial = knots && splineAlong(knots, size, (axis) => axis !== row);
  return { size, params, workgroups, displacement: partial ?? displacement ?? matrix };
}

/**
 * Cubic B-splines through control points (free-form deformation, Rueckert et al. 1999): the first position lies at the second knot, the last one at
 * the last but one.
 * @param knots `[N, C, knots…]`, at least four along each axis
 * @returns `[N, C, …size]`
 * @throws ShapeError, DTypeError
 */
export function splineField(knots: Tensor, size: Shape): Tensor {
  const op = "splineField";
  expectTensors(op, { knots });
  expectArguments(op, "numbers", { size });
  const counts = expectKnots(op, knots);
  if (size.length !== counts.length || size.some((s) => !Number.isInteger(s) || s < 1))
    throw new ShapeError(`${op}: size [${size}] must be ${counts.length} positive integers`);
  return splineAlong(knots, size, () => true);
}

function expectKnots(op: string, knots: Tensor): Shape {
  const counts = spatialOf(op, knots.shape);
  if (counts.some((k) => k < 4))
    throw new ShapeError(`${op}: knots ${showShape(knots.shape)} must be at least 4 along each axis`);
  return counts;
}

/** Knots made positions along some of the axes. */
function splineAlong(knots: Tensor, size: Shape, chosen: (axis: number) => boolean): Tensor {
  const { device } = knots;
  let field = knots;
  // The last axis first: what the others read is smaller then.
  for (let axis = size.length - 1; axis >= 0; axis--) {
    if (!chosen(axis)) continue;
    const next = device.empty(field.shape.with(axis + 2, size[axis]));
    if (next.size > 0) {
      const inner = sizeOf(field.shape.slice(axis + 3));
      const outer = sizeOf(field.shape.slice(0, axis + 2));
      const { threads, workgroups } = lines(device, inner === 1 ? [outer, 1, 1] : [inner, 1, outer], 64);
      device.run(
        splineShader({
          params: { threads, knots: knots.shape[axis + 2], size: size[axis], inner },
          bind: { x: field, y: write(next) },
          workgroups,
        }),
      );
    }
    if (field !== knots) field.dispose();
    field = next;
  }
  return field;
}

/**
 * Brightness x · scale + shift, then contrast about the mean within the range there is, then gamma on that range, then normal noise, in one pass.
 * @param x `[N, C, spatial…]`
 * @param numbers `[N, C, 7]`: scale, shift, contrast factor, gamma, 1 to apply gamma to the negative, standard deviation of the noise, its seed (a whole
 *   number below 2²⁴). 1, 0, 1, 1, 0, 0, 0 changes nothing
 * @param statistics `[N, C, 3]`: mean, least and largest value of each channel of `x`
 * @throws ShapeError, DTypeError
 */
export function adjustIntensity(x: Tensor, numbers: Tensor, statistics: Tensor): Tensor {
  const op = "adjustIntensity";
  expectTensors(op, { input: x, numbers, statistics });
  spatialOf(op, x.shape);
  const [n, c] = x.shape;
  expectPerChannel(op, "numbers", numbers, [n, c, NUMBERS]);
  expectPerChannel(op, "statistics", statistics, [n, c, STATISTICS]);
  const y = x.device.empty(x.shape);
  adjust(y, numbers, statistics, x);
  return y;
}

/** `adjustIntensity` in the memory of `y`; where the numbers change nothing it is not even read. */
export const adjustInPlace = (y: Tensor, numbers: Tensor, statistics: Tensor): void => adjust(y, numbers, statistics);

function adjust(y: Tensor, numbers: Tensor, statistics: Tensor, x?: Tensor): void {
  if (y.size === 0) return;
  y.device.run(
    intensityShader({
      consts: { IN_PLACE: x ? 0 : 1 },
      params: planesOf(y).params,
      bind: { numbers, statistics, x: x ?? numbers, y: x ? write(y) : update(y) },
      workgroups: planesOf(y).workgroups,
    }),
  );
}

/**
 * The image as a coarser grid would show it (nnU-Net's simulated low resolution): round(size · zoom) positions per axis, the nearest element at
 * each, joined linearly.
 * @param x `[N, C, spatial…]`
 * @param zooms `[N, C]`, above 0; 1 leaves a channel as it is
 * @param axes spatial axes that are made coarser; default all
 * @throws ShapeError, DTypeError
 */
export function lowResolution(x: Tensor, zooms: Tensor, axes?: readonly number[]): Tensor {
  const op = "lowResolution";
  expectTensors(op, { input: x, zooms });
  const spatial = spatialOf(op, x.shape);
  expectPerChannel(op, "zooms", zooms, x.shape.slice(0, 2));
  const chosen = chosenAxes(op, spatial, axes);
  const y = x.device.empty(x.shape);
  coarsen(x, zooms, chosen, y, false);
  return y;
}

/** `lowResolution` in the memory of `x`, of which channels with zoom 1 are not even read. */
export function lowResolutionInPlace(x: Tensor, zooms: Tensor, axes?: readonly number[]): void {
  const coarse = x.device.empty(x.shape);
  coarsen(x, zooms, chosenAxes("lowResolution", x.shape.slice(2), axes), coarse, true);
  settle(x, zooms, coarse);
  coarse.dispose();
}

function chosenAxes(op: string, spatial: Shape, axes: readonly number[] | undefined): readonly number[] {
  const chosen = axes ?? spatial.map((_, axis) => axis);
  if (chosen.some((a) => !Number.isInteger(a) || a < 0 || a >= spatial.length))
    throw new ShapeError(`${op}: axes [${chosen}] must be spatial axes 0 … ${spatial.length - 1}`);
  return chosen;
}

function coarsen(x: Tensor, zooms: Tensor, chosen: readonly number[], y: Tensor, skip: boolean): void {
  if (x.size === 0) return;
  const spatial = x.shape.slice(2);
  const size = padAxes(spatial, 1);
  const rows = perThread(x.device);
  const { threads, workgroups } = lines(x.device, [size[2], Math.ceil(size[1] / rows), size[0] * x.shape[0] * x.shape[1]], 64);
  x.device.run(
    lowResolutionShader({
      params: {
        threads,
        size,
        axes: chosen.reduce((bits, a) => bits | (1 << (a + 3 - spatial.length)), 0),
        rows,
        skip: skip ? 1 : 0,
      },
      bind: { zooms, x, y: skip ? update(y) : write(y) },
      workgroups,
    }),
  );
}
