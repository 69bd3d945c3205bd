/** @file Input gradients of reductions that do more than copy dy: of extremes, norms and the spread around a mean. */

import { write, read } from "../tensor/kernel.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { eachPiece, fits } from "./lib/pieces.ts";
import { grid } from "./lib/workgroups.ts";
import { four, type Four, mergedRuns } from "./reduce.ts";
import * as shader from "./shaders/reduce/gradient.gen.ts";
import { permute } from "./view.ts";

const rules = {
  extreme: shader.EXTREME,
  variance: shader.VARIANCE,
  std: shader.STD,
  norm1: shader.NORM1,
  norm2: shader.NORM2,
  normInfinity: shader.NORM_INFINITY,
} as const;

/** What a gradient reads besides x: per output the value x is compared with, and a count or a deviation. */
export interface ReduceSaved {
  readonly value: Tensor;
  readonly other?: Tensor;
  readonly factor?: number;
}

/** Gradient of a reduction over `axes`; `dy` has the shape of its result, with or without the reduced axes. */
export function reduceGradient(
  rule: keyof typeof rules,
  x: Tensor,
  axes: readonly number[],
  dy: Tensor,
  saved: ReduceSaved,
): Tensor {
  const runs = mergedRuns(x.shape, axes);
  if (runs.length > 4) return movedGradient(rule, x, axes, dy, saved);
  const { value, other = value, factor = 1 } = saved;
  const dx = x.device.empty(x.shape);
  if (x.size === 0) return dx;
  gradientFour(rule, x, four(runs), [value, other, dy], dx, factor);
  return dx;
}

function gradientFour(
  rule: keyof typeof rules,
  x: Tensor,
  [o1, r1, o2, r2]: Four,
  outputs: readonly Tensor[],
  dx: Tensor,
  factor: number,
): void {
  if (fits(x, ...outputs)) {
    const [value, other, dy] = outputs;
    x.device.run(
      shader.gradientShader({
        overrides: { RULE: rules[rule] },
        variant: rule,
        params: { o1, r1, o2, r2, count: x.size, factor },
        bind: { x, value, other, dy, dx: write(dx) },
        workgroups: grid(x.device, rule, x.size, 64),
      }),
    );
    return;
  }
  const lead = o1 > 1 ? o1 : r1;
  const views = [x, dx, ...(o1 > 1 ? outputs : [])].map((t) => t.view([lead, t.size / lead]));
  const bindings = [read(views[0]), write(views[1]), ...views.slice(2).map(read)];
  if (o1 > 1) {
    const one = ([piece, to, ...given]: readonly Tensor[]) =>
      gradientFour(rule, piece, [piece.shape[0], r1, o2, r2], given, to, factor);
    eachPiece(rule, 1, bindings, one, one);
  } else {
    // Pieces of the terms belong to the same outputs.
    const one = ([piece, to]: readonly Tensor[]) => gradientFour(rule, piece, [1, piece.shape[0], o2, r2], outputs, to, factor);
    const row = ([piece, to]: readonly Tensor[]) => gradientFour(rule, piece, [o2, r2, 1, 1], outputs, to, factor);
    eachPiece(rule, 1, bindings, one, o2 > 1 ? row : undefined);
  }
  for (const v of views) v.dispose();
}

// With the reduced axes last there are two runs; then back.
function movedGradient(rule: keyof typeof rules, x: Tensor, axes: readonly number[], dy: Tensor, saved: ReduceSaved): Tensor {
  const order = [...x.shape.map((_, i) => i).filter((i) => !axes.includes(i)), ...axes];
  const moved = permute(x, order);
  const first = x.rank - axes.length;
  const gradient = reduceGradient(
    rule,
    moved,
    axes.map((_, i) => first + i),
    dy,
    saved,
  );
  moved.dispose();
  const dx = permute(
    gradient,
    order.map((_, i) => order.indexOf(i)),
  );
  gradient.dispose();
  return dx;
}
