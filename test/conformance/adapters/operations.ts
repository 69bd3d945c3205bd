/** @file PyTorch's pointwise functions, products, reductions, indexing and moves on the GPU, with gradients. */
import * as v from "../../../src/index.ts";
import { activationLayer } from "../../../src/nn/index.ts";
import type { Adapters } from "../format.ts";
import { operation, same, type Names, type Tensors } from "../operation_case.ts";

type Tensor = v.Tensor;

const unary = (run: (x: Tensor, options: any) => Tensor, ...keys: string[]) =>
  operation({ ...same(...keys), inplace: null }, ({ x }, options) => run(x, options));

/** The second operand: an input, or a number among the arguments. */
const binary = (run: (a: Tensor, b: Tensor | number) => Tensor) =>
  operation(same("other", "exponent"), ({ a, b, x, y, other }: Tensors, options) =>
    run(a ?? x, b ?? y ?? other ?? options.other ?? options.exponent),
  );

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

const place = (run: typeof v.argmax) => operation(dim, ({ x }, { axis, ...options }) => run(x, axis, options));

const pow = operation(same("exponent"), ({ a, b, x, exponent }: Tensors, options) =>
  v.pow(a ?? x, b ?? exponent ?? options.exponent),
);

/** By MONAI's name. */
const activation = (name: "CELU", ...keys: string[]) =>
  operation(same(...keys), ({ x }, options, device) => activationLayer(device, [name, options]).forward(x));

const activations: Adapters = {
  "op.relu": unary(v.relu),
  "op.relu6": unary(v.relu6),
  "op.leaky_relu": unary((x, { negativeSlope }) => v.leakyRelu(x, negativeSlope), "negative_slope"),
  "op.elu": unary((x, { alpha }) => v.elu(x, alpha), "alpha"),
  "op.celu": activation("CELU", "alpha"),
  "op.selu": unary(v.selu),
  "op.gelu": unary(v.gelu, "approximate"),
  "op.silu": unary((x) => v.silu(x)),
  "op.mish": unary(v.mish),
  "op.softplus": unary(v.softplus, "beta", "threshold"),
  "op.hardswish": unary(v.hardswish),
  "op.hardtanh": unary((x, { minVal = -1, maxVal = 1 }) => v.clamp(x, minVal, maxVal), "min_val", "max_val"),
  "op.tanh": unary(v.tanh),
  "op.sigmoid": unary(v.sigmoid),
  "op.logsigmoid": unary(v.logSigmoid),
  "op.softmax": operation(dim, ({ x }, { axis }) => v.softmax(x, axis)),
  "op.log_softmax": operation(dim, ({ x }, { axis }) => v.logSoftmax(x, axis)),
};

const pointwise: Adapters = {
  "op.exp": unary(v.exp),
  "op.log": unary(v.log),
  "op.sqrt": unary(v.sqrt),
  "op.rsqrt": unary(v.rsqrt),
  "op.abs": unary(v.abs),
  "op.neg": unary(v.neg),
  "op.erf": unary(v.erf),
  "op.square": unary(v.square),
  "op.reciprocal": unary(v.reciprocal),
  "op.sign": unary(v.sign),
  "op.floor": unary(v.floor),
  "op.round": unary(v.round),
  "op.clamp": unary((x, { min = -Infinity, max = Infinity }) => v.clamp(x, min, max), "min", "max"),
  "op.pow": pow,
  "op.add": binary(v.add),
  "op.sub": binary(v.sub),
  "op.mul": binary(v.mul),
  "op.div": binary(v.div),
  "op.maximum": binary(v.maximum),
  "op.minimum": binary(v.minimum),
  "op.eq": binary(v.eq),
  "op.ne": binary(v.ne),
  "op.lt": binary(v.lt),
  "op.le": binary(v.le),
  "op.gt": binary(v.gt),
  "op.ge": binary(v.ge),
  "op.where": operation({}, ({ condition, x, y, a, b }: Tensors) => v.where(condition, a ?? x, b ?? y)),
};

const reductions: Adapters = {
  "op.sum": reduced(v.sum),
  "op.mean": reduced(v.mean),
  "op.amax": reduced(v.amax),
  "op.amin": reduced(v.amin),
  "op.var": reduced(v.variance, same("correction")),
  "op.std": reduced(v.std, same("correction")),
  "op.norm": reduced((x, axes, options) => v.vectorNorm(x, { axes, ...options }), same("p")),
  "op.max": extremes(v.max, v.amax),
  "op.min": extremes(v.min, v.amin),
  "op.argmax": place(v.argmax),
  "op.argmin": place(v.argmin),
  "op.cumsum": operation(dim, ({ x }, { axis }) => v.cumsum(x, axis)),
};

const moves: Adapters = {
  "op.flip": operation({ dims: "axes", dim: "axes" }, ({ x }, { axes }) => v.flip(x, axes)),
  "op.roll": operation({ shifts: "", dims: "axes", dim: "axes" }, ({ x }, { shifts, axes }) => v.roll(x, shifts, axes)),
  "op.rot90": operation({ k: "", dims: "axes" }, ({ x }, { k, axes }) => v.rot90(x, k, axes)),
  "op.permute": operation({ dims: "axes" }, ({ x }, { axes }) => v.permute(x, axes)),
  "op.reshape": operation(same("shape"), ({ x }, { shape }) => v.reshape(x, shape)),
  "op.repeat": operation({ repeats: "counts", sizes: "counts" }, ({ x }, { counts }) => v.repeat(x, counts)),
  "op.tril": operation(same("diagonal"), ({ x }, { diagonal }) => v.tril(x, diagonal)),
  "op.triu": operation(same("diagonal"), ({ x }, { diagonal }) => v.triu(x, diagonal)),
};

const products: Adapters = {
  "op.matmul": operation({}, ({ a, b, x, y }: Tensors) => v.matmul(a ?? x, b ?? y)),
  "op.linear": operation({}, ({ x, w, b }) => v.linear(x, w, b)),
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

export const adapters: Adapters = { ...activations, ...pointwise, ...reductions, ...moves, ...products, ...indexed };
