/**
 * @file PyTorch's activations on the GPU, with gradients: `op.<name>`, or `op.activation` with the name among the options. Those that
 * voxgrad has no function for are composed as its users would.
 */
import * as v from "../../../src/index.ts";
import { activationLayer } from "../../../src/nn/index.ts";
import { type Adapter, type Adapters, NotCovered } from "../format.ts";
import { type Names, operation, same, told } from "../operation_case.ts";

type Tensor = v.Tensor;
type Run = (x: Tensor, options: any, device: v.Device) => Tensor;

const names: Names = { dim: "axis", axis: "", dtype: "" };

/** The axis that PyTorch takes when it is given none. */
const implied = (x: Tensor, axis: number | undefined) => axis ?? ([0, 1, 3].includes(x.rank) ? 0 : 1);

/** PyTorch casts to the type asked for first; here that is f32, also for integers. Others keep fewer digits than the case asks for. */
const softened =
  (run: (x: Tensor, axis: number) => Tensor): Run =>
  (x, { axis, dtype = "float32" }) => {
    if (!/float(?:32|64)?$|double$/.test(dtype)) throw new NotCovered(`a softmax in ${dtype}`);
    return run(x.dtype === "f32" ? x : v.cast(x, "f32"), implied(x, axis));
  };

const zero = (x: Tensor) => v.affine(x, 0);

function glu(x: Tensor, axis = -1): Tensor {
  const at = axis < 0 ? axis + x.rank : axis;
  const [value, gate] = v.split(x, x.shape[at] / 2, at);
  return v.mul(value, v.sigmoid(gate));
}

/** By PyTorch's names: option names, and the function. */
const table: Record<string, readonly [keys: Names, run: Run]> = {
  relu: [{}, v.relu],
  relu6: [{}, v.relu6],
  leaky_relu: [same("negative_slope"), (x, { negativeSlope }) => v.leakyRelu(x, negativeSlope)],
  elu: [same("alpha"), (x, { alpha }) => v.elu(x, alpha)],
  celu: [same("alpha"), (x, options, device) => activationLayer(device, ["CELU", options]).forward(x)],
  selu: [{}, v.selu],
  gelu: [same("approximate"), (x, { approximate }) => v.gelu(x, { approximate })],
  gelu_tanh: [{}, (x) => v.gelu(x, { approximate: "tanh" })],
  silu: [{}, (x) => v.silu(x)],
  swish: [same("alpha", "beta"), (x, { alpha, beta }) => v.silu(x, alpha ?? beta)],
  mish: [{}, v.mish],
  softplus: [same("beta", "threshold"), (x, { beta, threshold }) => v.softplus(x, { beta, threshold })],
  hardswish: [{}, v.hardswish],
  hardtanh: [same("min_val", "max_val"), (x, { minVal = -1, maxVal = 1 }) => v.clamp(x, minVal, maxVal)],
  hardsigmoid: [{}, (x) => v.affine(v.relu6(v.affine(x, 1, 3)), 1 / 6)],
  tanh: [{}, v.tanh],
  tanhshrink: [{}, (x) => v.sub(x, v.tanh(x))],
  sigmoid: [{}, v.sigmoid],
  logsigmoid: [{}, v.logSigmoid],
  softsign: [{}, (x) => v.div(x, v.affine(v.abs(x), 1, 1))],
  softshrink: [same("lambd"), (x, { lambd = 0.5 }) => v.sub(x, v.clamp(x, -lambd, lambd))],
  hardshrink: [same("lambd"), (x, { lambd = 0.5 }) => v.where(v.gt(v.abs(x), lambd), x, zero(x))],
  threshold: [same("threshold", "value"), (x, { threshold, value }) => v.where(v.gt(x, threshold), x, v.affine(x, 0, value))],
  rrelu: [same("lower", "upper", "training"), rrelu],
  glu: [{ dim: "axis", axis: "" }, (x, { axis }) => glu(x, axis)],
  softmax: [names, softened(v.softmax)],
  log_softmax: [names, softened(v.logSoftmax)],
  softmin: [names, softened((x, axis) => v.softmax(v.neg(x), axis))],
  softmax2d: [{}, (x) => v.softmax(x, -3 + x.rank)],
  identity: [{}, (x) => v.affine(x, 1)],
};

/** Its mean slope in evaluation; in training the slopes are PyTorch's own draws. */
function rrelu(x: Tensor, { lower = 1 / 8, upper = 1 / 3, training = false }): Tensor {
  if (training) throw new NotCovered("rrelu in training");
  return v.leakyRelu(x, (lower + upper) / 2);
}

const adapter = ([keys, run]: (typeof table)[string]) =>
  operation({ ...told("inplace", "_stacklevel", "stacklevel"), ...keys }, ({ x }, options, device) => run(x, options, device));

const squashed = (name: string) => name.replace(/^.*\./, "").replaceAll("_", "").toLowerCase();
const byName = new Map(Object.entries(table).map(([name, entry]) => [squashed(name), adapter(entry)]));

/** `{ name: "gelu", … }`; the options may lie beside the name or in a record of their own. */
const named: Adapter = (test, context) => {
  const { name, fn, act, activation, kind, type, kwargs, options, params, ...rest } = test.args;
  const given: string = [name, fn, act, activation, kind, type].find((n) => typeof n === "string") ?? "";
  const found = byName.get(squashed(given));
  if (!found) throw new NotCovered(`the activation ${given}`);
  return found({ ...test, op: `${test.op} ${given}`, args: { ...rest, ...kwargs, ...options, ...params } }, context);
};

export const adapters: Adapters = {
  ...Object.fromEntries(Object.entries(table).map(([name, entry]) => [`op.${name}`, adapter(entry)])),
  "op.activation": named,
  "op.activations": named,
  "op.act": named,
};
