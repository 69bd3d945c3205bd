/** @file Matrix products and the linear map, with gradients: each one's gradients are products with a transposed operand. */

import { cast as castKernel } from "../kernels/cast.ts";
import * as kernels from "../kernels/matmul.ts";
import type { MatmulOptions } from "../kernels/matmul.ts";
import { reduceSum } from "../kernels/reduce.ts";
import { ShapeError } from "../host/errors.ts";
import { sizeOf } from "../host/array.ts";
import { expectOptions } from "../host/options.ts";
import { type Shape, showShape } from "../host/shape.ts";
import { expectKind } from "../tensor/kind.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { float32 } from "./precision.ts";
import { type Backward, record } from "./tape.ts";

export type { MatmulOptions } from "../kernels/matmul.ts";

function multiply(op: string, a: Tensor, b: Tensor, options: MatmulOptions): Tensor {
  return kernels.matmul(op, a, b, undefined, kernels.matmulShape(op, a.shape, b.shape, options));
}

/** Sums the gradient of an input over the axes that it was broadcast along. Takes over `dy`. */
function unbroadcast(dy: Tensor, shape: Shape): Tensor {
  const extra = dy.rank - shape.length;
  const axes = dy.shape.flatMap((d, i) => (i < extra || (shape[i - extra] === 1 && d !== 1) ? [i] : []));
  return axes.length === 0 ? dy : moved(dy, reduceSum(dy, axes, false));
}

function moved(from: Tensor, to: Tensor): Tensor {
  from.dispose();
  return to;
}

/** Shapes under which operands and result of a product are seen, where they are not their own. */
interface Views {
  readonly a: Shape;
  readonly b: Shape;
  readonly y: Shape;
}

function product(op: string, a: Tensor, b: Tensor, options: MatmulOptions, views: Views, bias?: Tensor): Tensor {
  const { transposeA = false, transposeB = false } = options;
  const g = kernels.matmulShape(op, views.a, views.b, options);
  // On matrix units an f16 operand brings the other one along, and its gradients: they are products of the same three sizes.
  const types = [a.dtype, b.dtype];
  const halves =
    types.includes("f16") && types.every((type) => type === "f16" || type === "f32") && kernels.takesHalf(a.device, g);
  if (!halves) [a, b] = [float32(a), float32(b)];
  const seen = <T>(pairs: readonly (readonly [Tensor, Shape])[], use: (...views: Tensor[]) => T): T => {
    const list = pairs.map(([t, shape]) => {
      const operand = halves ? castKernel(t, "f16") : t;
      const view = operand.view(shape);
      return operand === t ? view : moved(operand, view);
    });
    try {
      return use(...list);
    } finally {
      for (const t of list) t.dispose();
    }
  };
  const raw = seen(
    [
      [a, views.a],
      [b, views.b],
    ],
    (av, bv) => kernels.matmul(op, av, bv, bias, g),
  );
  const { shape } = raw;
  const y = moved(raw, raw.view(views.y));
  const backward: Backward = (dy, needs) => {
    const da = () =>
      seen(
        [
          [dy, shape],
          [b, views.b],
        ],
        (dyv, bv) =>
          transposeA
            ? multiply(op, bv, dyv, { transposeA: transposeB, transposeB: true })
            : multiply(op, dyv, bv, { transposeB: !transposeB }),
      );
    const db = () =>
      seen(
        [
          [dy, shape],
          [a, views.a],
        ],
        (dyv, av) =>
          transposeB
            ? multiply(op, dyv, av, { transposeA: true, transposeB: transposeA })
            : multiply(op, av, dyv, { transposeA: !transposeA }),
      );
    const part = (gradient: Tensor, own: Shape, input: Tensor) => {
      const sum = unbroadcast(gradient, own);
      const rounded = moved(sum, castKernel(sum, input.dtype));
      return moved(rounded, rounded.view(input.shape));
    };
    return [
      needs[0] ? part(da(), views.a, a) : undefined,
      needs[1] ? part(db(), views.b, b) : undefined,
      needs[2] ? reduceSum(dy, [...dy.shape.keys()].slice(0, -1), false) : undefined,
    ];
  };
  return record(op, [a, b, bias], y, backward, { transposeA, transposeB }, kernels.matmulFlops(g));
}

/** Rows of all batch entries as one matrix: the gradient of the other operand is then one sum instead of one per entry. */
const asRows = (shape: Shape): Shape => [sizeOf(shape.slice(0, -1)), shape.at(-1)!];

/**
 * Matrix product, as `torch.matmul`: `[…, M, K]` times `[…, K, N]` is `[…, M, N]`; batch axes broadcast. A vector `[K]` on the left is a row,
 * on the right a column, and the axis it lacks is not in the result. The result is f32; where an operand is f16 and the device has matrix units, the other one and the gradient are
 * rounded to f16 too, and products are added in f32.
 * @param options `transposeA`, `transposeB`: take the last two axes of an operand (not of a vector) in the other order, without a copy
 * @throws ShapeError
 */
export function matmul(a: Tensor, b: Tensor, options: MatmulOptions = {}): Tensor {
  expectOptions("matmul", options, "transposeA transposeB");
  expectKind("matmul", { a, b });
  if (a.rank === 0 || b.rank === 0) {
    throw new ShapeError(`matmul: expected vectors or matrices, got ${showShape(a.shape)} and ${showShape(b.shape)}`);
  }
  const transposeA = a.rank > 1 && (options.transposeA ?? false);
  const transposeB = b.rank > 1 && (options.transposeB ?? false);
  const left = a.rank === 1 ? [1, a.size] : a.shape;
  const right = b.rank === 1 ? [b.size, 1] : b.shape;
  const { outShape } = kernels.matmulShape("matmul", left, right, { transposeA, transposeB });
  const y = outShape.filter(
    (_, i) => !(a.rank === 1 && i === outShape.length - 2) && !(b.rank === 1 && i === outShape.length - 1),
  );
  const rows = left.length > 2 && right.length === 2 && !transposeA;
  return product("matmul", a, b, { transposeA, transposeB }, { a: rows ? asRows(left) : left, b: right, y });
}

/**
 * x · weightᵀ + bias over the last axis.
 * @param x `[…, in]`
 * @param weight `[out, in]`
 * @param bias `[out]`
 * @returns `[…, out]`
 * @throws ShapeError
 */
export function linear(x: Tensor, weight: Tensor, bias?: Tensor): Tensor {
  expectKind("linear", bias === undefined ? { x, weight } : { x, weight, bias });
  if (weight.rank !== 2) throw new ShapeError(`linear: weight ${showShape(weight.shape)} must be [out, in]`);
  const [outFeatures, inFeatures] = weight.shape;
  if (x.rank === 0 || x.shape.at(-1) !== inFeatures) {
    throw new ShapeError(
      `linear: input ${showShape(x.shape)} must be […, ${inFeatures}] for a weight ${showShape(weight.shape)}`,
    );
  }
  if (bias && (bias.rank !== 1 || bias.size !== outFeatures)) {
    throw new ShapeError(`linear: bias ${showShape(bias.shape)} must be [${outFeatures}], one per output feature`);
  }
  const y = [...x.shape.slice(0, -1), outFeatures];
  return product("linear", x, weight, { transposeB: true }, { a: asRows(x.shape), b: weight.shape, y }, bias);
}
