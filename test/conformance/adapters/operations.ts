/** @file PyTorch's pointwise functions, reductions, indexing and moves on the GPU, with gradients. */
import * as v from "../../../src/index.ts";
import type { Adapter, Adapters } from "../format.ts";
import { operation, same, type Names, type Tensors } from "../operation_case.ts";

type Tensor = v.Tensor;

const unary = (run: (x: Tensor, options: any) => Tensor, ...keys: string[]) =>
  operation({ ...same(...keys), inplace: null }, ({ x }, options) => run(x, options));

/** The operands in the case's order, whatever their names; one of them may be a number among the options. `alpha` scales the second. */
const binary = (run: (a: Tensor, b: Tensor | number) => Tensor, ...keys: string[]) =>
  operation(same("other", "exponent", "b", "y", "value", "scalar", ...keys), (_, { alpha = 1, ...options }, __, [a, second]) => {
    const b: Tensor | number = second ?? Object.values(options)[0];
    return run(a, alpha === 1 ? b : typeof b === "number" ? alpha * b : v.affine(b, alpha));
  });

const dim: Names = { dim: "axis", axis: "", keepdim: "keepDims", keepdims: "keepDims" };

const reduced = (run: (x: Tensor, axes: number | number[] | undefined, options: any) => Tensor, more: Names = {}) =>
  operation({ ...dim, ...more }, ({ x }, { axis, ...options }) => run(x, axis, options));

const extremes = (one: typeof v.max, all: typeof v.amax) =>
  operation(dim, ({ x, a, b }, { axis, ...options }) => {
    if (b) return (one === v.max ? v.maximum : v.minimum)(a, b);
    if (axis === undefined) return all(x);
    const { values, indices } = one(x, axis, options);
    return { out: values, indices };
  });

const place = (run: typeof v.argmax) => operation(dim, ({ x }, { axis, keepDims }) => run(x, axis, keepDims));

const each = <F>(adapter: (f: F) => Adapter, functions: Record<string, F>): Adapters =>
  Object.fromEntries(Object.entries(functions).map(([name, f]) => [`op.${name}`, adapter(f)]));

const clamped = unary((x, { min = -Infinity, max = Infinity }) => v.clamp(x, min, max), "min", "max");

const pointwise: Adapters = {
  ...each((f) => unary((x) => f(x)), {
    exp: v.exp,
    log: v.log,
    sqrt: v.sqrt,
    rsqrt: v.rsqrt,
    abs: v.abs,
    absolute: v.abs,
    neg: v.neg,
    negative: v.neg,
    erf: v.erf,
    square: v.square,
    reciprocal: v.reciprocal,
    sign: v.sign,
    floor: v.floor,
    round: v.round,
    isfinite: v.isFinite,
  }),
  "op.clamp": clamped,
  "op.clip": clamped,
  "op.add": binary(v.add, "alpha"),
  "op.sub": binary(v.sub, "alpha"),
  ...each(binary, {
    mul: v.mul,
    multiply: v.mul,
    div: v.div,
    divide: v.div,
    true_divide: v.div,
    pow: v.pow,
    maximum: v.maximum,
    minimum: v.minimum,
    eq: v.eq,
    ne: v.ne,
    lt: v.lt,
    le: v.le,
    gt: v.gt,
    ge: v.ge,
    greater: v.gt,
    less: v.lt,
  }),
  "op.where": operation({}, ({ condition, x, y, a, b }: Tensors) => v.where(condition, a ?? x, b ?? y)),
};

/** `unbiased` is PyTorch's older name of a correction of 1 or 0. */
const unbiasedOr =
  (run: typeof v.variance): typeof v.variance =>
  (x, axes, { unbiased, ...options }: any = {}) =>
    run(x, axes, unbiased === undefined ? options : { correction: unbiased ? 1 : 0, ...options });

const norm = reduced((x, axes, options) => v.vectorNorm(x, { axes, ...options }), { ...same("p"), ord: "p" });

/** As users compose it: safe for logits of any finite size. */
function logSumExp(x: Tensor, axes: number | number[] | undefined, { keepDims = false }): Tensor {
  const top = v.noGrad(() => v.amax(x, axes, { keepDims: true }));
  const spread = v.log(v.sum(v.exp(v.sub(x, top)), axes, { keepDims }));
  return v.add(spread, v.reshape(top, spread.shape));
}

const reductions: Adapters = {
  "op.sum": reduced(v.sum),
  "op.mean": reduced(v.mean),
  "op.amax": reduced(v.amax),
  "op.amin": reduced(v.amin),
  "op.var": reduced(unbiasedOr(v.variance), same("correction", "unbiased")),
  "op.std": reduced(unbiasedOr(v.std), same("correction", "unbiased")),
  "op.norm": norm,
  "op.vector_norm": norm,
  "op.logsumexp": reduced(logSumExp),
  "op.max": extremes(v.max, v.amax),
  "op.min": extremes(v.min, v.amin),
  "op.argmax": place(v.argmax),
  "op.argmin": place(v.argmin),
  "op.cumsum": operation(dim, ({ x }, { axis }) => v.cumsum(x, axis)),
};

const joined = (run: typeof v.concat) => operation(dim, (_, { axis = 0 }, __, list) => run(list, axis));

const moves: Adapters = {
  "op.flip": operation({ dims: "axes", dim: "axes" }, ({ x }, { axes }) => v.flip(x, axes)),
  "op.roll": operation({ shifts: "", dims: "axes", dim: "axes" }, ({ x }, { shifts, axes }) => v.roll(x, shifts, axes)),
  "op.rot90": operation({ k: "", dims: "axes" }, ({ x }, { k, axes }) => v.rot90(x, k, axes)),
  "op.permute": operation({ dims: "axes" }, ({ x }, { axes }) => v.permute(x, axes)),
  "op.reshape": operation(same("shape"), ({ x }, { shape }) => v.reshape(x, shape)),
  "op.view": operation(same("shape"), ({ x }, { shape }) => v.reshape(x, shape)),
  "op.flatten": operation(same("start_dim", "end_dim"), ({ x }, { startDim = 0, endDim = -1 }) => {
    const [start, end] = [startDim, endDim].map((d) => (d + x.rank) % x.rank);
    return v.reshape(x, [...x.shape.slice(0, start), v.sizeOf(x.shape.slice(start, end + 1)), ...x.shape.slice(end + 1)]);
  }),
  "op.transpose": operation(same("dim0", "dim1"), ({ x }, { dim0, dim1 }) => {
    const axes = [...x.shape.keys()];
    const [a, b] = [dim0, dim1].map((d) => (d + x.rank) % x.rank);
    return v.permute(x, axes.with(a, b).with(b, a));
  }),
  "op.squeeze": operation(dim, ({ x }, { axis }) => v.squeeze(x, axis)),
  "op.unsqueeze": operation(dim, ({ x }, { axis }) => v.unsqueeze(x, axis)),
  "op.expand": operation({ sizes: "shape", size: "shape", shape: "" }, ({ x }, { shape }) => v.expand(x, shape)),
  "op.cat": joined(v.concat),
  "op.concat": joined(v.concat),
  "op.stack": joined(v.stack),
  "op.tile": operation({ dims: "counts", repeats: "counts" }, ({ x }, { counts }) => v.tile(x, counts)),
  "op.repeat": operation({ repeats: "counts", sizes: "counts" }, ({ x }, { counts }) => v.repeat(x, counts)),
  "op.tril": operation(same("diagonal"), ({ x }, { diagonal }) => v.tril(x, diagonal)),
  "op.triu": operation(same("diagonal"), ({ x }, { diagonal }) => v.triu(x, diagonal)),
};

const indexed: Adapters = {
  "op.gather": operation(dim, ({ x, index }, { axis }) => v.gather(x, axis, index)),
  "op.scatter_add": operation(dim, ({ x, index, src }, { axis }) => v.scatterAdd(x, axis, index, src)),
  "op.index_select": operation(dim, ({ x, index }, { axis }) => v.indexSelect(x, axis, index)),
  // torch puts the classes last, voxgrad on the channels.
  "op.one_hot": operation(same("num_classes"), ({ x }, { numClasses }) =>
    v.reshape(v.oneHot(v.reshape(x, [x.size, 1]), numClasses), [...x.shape, numClasses]),
  ),
};

export const adapters: Adapters = { ...pointwise, ...reductions, ...moves, ...indexed };
