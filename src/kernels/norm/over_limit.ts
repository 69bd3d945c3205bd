/**
 * @file Normalization of tensors over the binding limit, composed of reductions and pointwise functions, which run in pieces: the kernels of
 * `norm.ts` need a whole group at once. Takes some eight passes instead of three.
 */

import type { Shape } from "../../host/shape.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import type { NormAffine, NormGeometry, Residual } from "./shape.ts";
import { binary, unary, unaryGradient } from "../pointwise.ts";
import { prelu, preluInputGradient, preluShape, preluSlopeGradient } from "../prelu.ts";
import { reduce, reduceSum } from "../reduce.ts";
import { concat, slice } from "../view.ts";

/** A tensor as samples, groups, channels of a group and elements, and the shapes of statistics and affine parameters broadcast against it. */
function layout(
  x: Tensor,
  g: NormGeometry,
): { four: Shape; stats: Shape; affine: Shape; statAxes: number[]; affineAxes: number[] } {
  const axes = (shape: Shape) => [0, 1, 2, 3].filter((i) => shape[i] === 1);
  const of = (four: Shape, stats: Shape, affine: Shape) => ({
    four,
    stats,
    affine,
    statAxes: axes(stats),
    affineAxes: axes(affine),
  });
  const channels = g.groupsPerSample * g.channelsPerGroup;
  // Layer norm: each element of a group is its own channel.
  if (g.groupsPerSample === 1 && g.channelsPerGroup === g.count)
    return of([g.groups, 1, 1, g.count], [g.groups, 1, 1, 1], [1, 1, 1, g.count]);
  const samples = x.size / (channels * (g.runStep === 0 ? g.inner : g.run));
  // Batch norm: a group runs through all samples.
  if (g.runStep !== 0) return of([samples, channels, 1, g.run], [1, channels, 1, 1], [1, channels, 1, 1]);
  const { groupsPerSample, channelsPerGroup, inner } = g;
  return of(
    [samples, groupsPerSample, channelsPerGroup, inner],
    [samples, groupsPerSample, 1, 1],
    [1, groupsPerSample, channelsPerGroup, 1],
  );
}

// Temporaries of one computation: freed together.
function workspace(): { own: <T extends Tensor>(t: T) => T; free: () => void } {
  const list: Tensor[] = [];
  return { own: (t) => (list.push(t), t), free: () => list.forEach((t) => t.dispose()) };
}

/** Like `norm`. */
export function normInPieces(
  x: Tensor,
  weight: Tensor | undefined,
  bias: Tensor | undefined,
  g: NormGeometry,
): { y: Tensor; stats: Tensor } {
  const { four, affine, statAxes } = layout(x, g);
  const { own, free } = workspace();
  const view = own(x.view(four));
  const mean = own(reduceSum(view, statAxes, true, g.count));
  const variance = own(reduce("norm", view, statAxes, true, { map: "deviation", center: mean, divisor: g.count }));
  const scale = own(unary("rsqrt", own(unary("affine", variance, 1, g.eps))));
  const rest = unary("affine", mean, 0, 0); // a reduction adds precisely enough
  const stats = concat(
    [mean, scale, own(rest)].map((t) => own(t.view([g.groups, 1]))),
    1,
  );
  let y = own(scaled(binary("sub", view, mean), scale));
  if (weight && bias) y = own(binary("add", own(binary("mul", y, own(weight.view(affine)))), own(bias.view(affine))));
  const out = y.view(x.shape);
  free();
  return { y: out, stats };
}

function scaled(t: Tensor, by: Tensor): Tensor {
  const product = binary("mul", t, by);
  t.dispose();
  return product;
}

// (x - mean) * scale, and the scale, as of the four axes.
function normalized(x: Tensor, stats: Tensor, g: NormGeometry): { h: Tensor; scale: Tensor } {
  const shape = layout(x, g);
  const { own, free } = workspace();
  const column = (start: number) =>
    own(
      slice(stats, [
        { start: 0, count: g.groups, step: 1 },
        { start, count: 1, step: 1 },
      ]),
    );
  const scale = column(1).view(shape.stats);
  const h = scaled(binary("sub", own(x.view(shape.four)), own(column(0).view(shape.stats))), scale);
  free();
  return { h, scale };
}

/** The input gradient. */
export function inputGradientInPieces(x: Tensor, weight: Tensor | undefined, stats: Tensor, dy: Tensor, g: NormGeometry): Tensor {
  const { four, affine, statAxes } = layout(x, g);
  const { own, free } = workspace();
  const { h, scale } = normalized(x, stats, g);
  own(h);
  own(scale);
  const given = own(dy.view(four));
  const u = weight ? own(binary("mul", given, own(weight.view(affine)))) : given;
  const mean = own(reduceSum(u, statAxes, true, g.count));
  const slope = own(reduceSum(own(binary("mul", u, h)), statAxes, true, g.count));
  const centered = own(binary("sub", u, mean));
  const dx = scaled(binary("sub", centered, own(binary("mul", h, slope))), scale);
  const out = dx.view(x.shape);
  dx.dispose();
  free();
  return out;
}

/** Gradients of scale and shift, of layer norm too. */
export function affineGradientInPieces(
  x: Tensor,
  stats: Tensor,
  dy: Tensor,
  g: NormGeometry,
): { dWeight: Tensor; dBias: Tensor } {
  const { four, affineAxes } = layout(x, g);
  const { own, free } = workspace();
  const { h, scale } = normalized(x, stats, g);
  own(scale);
  const given = own(dy.view(four));
  const [dWeight, dBias] = [scaled(h, given), given].map((t) => {
    const sum = own(reduceSum(own(t), affineAxes, false));
    return sum.view([sum.size]);
  });
  free();
  return { dWeight, dBias };
}

/** The activation of a normalized `z`, which it takes over, and what is added. */
export function rectified(z: Tensor, slope: NormAffine["slope"] = 1, residual?: Residual): Tensor {
  const steps: ((v: Tensor) => Tensor)[] = [];
  if (slope !== 1)
    steps.push((v) =>
      typeof slope === "number" ? unary("leakyRelu", v, slope) : prelu(v, slope, preluShape(v.shape, slope.shape)),
    );
  if (residual) steps.splice(residual.before ? 0 : steps.length, 0, (v) => binary("add", v, residual.tensor));
  return steps.reduce((v, step) => {
    const y = step(v);
    v.dispose();
    return y;
  }, z);
}

/** Its gradients: of z, which is computed again, or `dy` itself if there is no activation; and of a slope that is a tensor. */
export function rectifiedGradient(
  x: Tensor,
  { weight, bias, slope = 1 }: NormAffine,
  stats: Tensor,
  dy: Tensor,
  g: NormGeometry,
): { dz: Tensor; dSlope?: Tensor } {
  if (slope === 1) return { dz: dy };
  const { affine } = layout(x, g);
  const { own, free } = workspace();
  const { h, scale } = normalized(x, stats, g);
  own(scale);
  let flat = own(h);
  if (weight && bias) {
    flat = own(binary("mul", flat, own(weight.view(affine))));
    flat = own(binary("add", flat, own(bias.view(affine))));
  }
  const z = own(flat.view(x.shape));
  let result: { dz: Tensor; dSlope?: Tensor };
  if (typeof slope === "number") result = { dz: unaryGradient("leakyRelu", z, dy, slope) };
  else {
    const shape = preluShape(x.shape, slope.shape);
    result = { dz: preluInputGradient(z, slope, dy, shape), dSlope: preluSlopeGradient(z, dy, shape) };
  }
  free();
  return result;
}
