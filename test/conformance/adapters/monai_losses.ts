/** @file MONAI's segmentation losses on the GPU. */
import {
  abs,
  exp,
  grad,
  logSoftmax,
  mul,
  relu,
  sigmoid,
  softmax,
  sum,
  tanh,
  type Device,
  type Tensor,
} from "../../../src/index.ts";
import {
  asymmetricUnifiedFocalLoss,
  deepSupervisionLoss,
  diceCELoss,
  diceFocalLoss,
  diceLoss,
  focalLoss,
  generalizedDiceFocalLoss,
  generalizedDiceLoss,
  generalizedWassersteinDiceLoss,
  hausdorffDTLoss,
  logHausdorffDTLoss,
  maskedDiceLoss,
  maskedLoss,
  naclLoss,
  softclDiceLoss,
  softDiceclDiceLoss,
  tverskyLoss,
} from "../../../src/nn/index.ts";
import type { HostArray } from "../../../src/host/array.ts";
import { expectKnown, NotCovered, wave, type Adapter, type Adapters, type Case } from "../format.ts";
import { camel } from "../../lib/names.ts";
import { device } from "../device.ts";

const functions: Record<string, (x: Tensor) => Tensor> = {
  tanh,
  exp,
  abs,
  relu,
  sigmoid,
  softmax: (x) => softmax(x, 1),
  log_softmax: (x) => logSoftmax(x, 1),
};

function option(value: any): unknown {
  if (typeof value === "function") {
    const known =
      functions[/^(?:lambda x: )?(?:torch\.|F\.|nn\.functional\.)*(\w+)(?:\((?:x, )?dim=1\))?$/.exec(value.name)?.[1] ?? ""];
    if (!known) throw new NotCovered(`the function ${value.name}`);
    return known;
  }
  if (!ArrayBuffer.isView(value?.data)) return value;
  return value.shape.length === 0 ? value.data[0] : Array.from(value.data as Float32Array);
}

/** Options whose None means that there is none; others refuse it. */
const optional = new Set(["weight", "weights", "alpha", "other_act"]);

/** Upstream options to voxgrad's. */
const options = (args: Case["args"]): Record<string, any> =>
  Object.fromEntries(Object.entries(args).flatMap(([k, v]) => (v === null && optional.has(k) ? [] : [[camel(k), option(v)]])));

const target = "include_background to_onehot_y sigmoid softmax other_act reduction batch";
const overlap = `${target} smooth_nr smooth_dr`;
const dice = `${overlap} squared_pred jaccard weight`;

/** MONAI's option names of each loss. */
const known: Record<string, string> = {
  DiceLoss: `${dice} soft_label`,
  MaskedDiceLoss: `${dice} soft_label`,
  DiceCELoss: `${dice} lambda_dice lambda_ce label_smoothing`,
  DiceFocalLoss: `${dice} gamma alpha lambda_dice lambda_focal`,
  FocalLoss: "include_background to_onehot_y gamma alpha weight reduction use_softmax",
  GeneralizedDiceLoss: `${overlap} w_type soft_label`,
  GeneralizedDiceFocalLoss: `${overlap} w_type gamma weight lambda_gdl lambda_focal`,
  TverskyLoss: `${overlap} alpha beta soft_label`,
  HausdorffDTLoss: `${target} alpha`,
  LogHausdorffDTLoss: `${target} alpha`,
  GeneralizedWassersteinDiceLoss: "dist_matrix weighting_mode reduction smooth_nr smooth_dr",
  AsymmetricUnifiedFocalLoss: "to_onehot_y num_classes weight gamma delta reduction",
  DeepSupervisionLoss: "weight_mode weights",
  SoftclDiceLoss: "iter_ smooth",
  SoftDiceclDiceLoss: "iter_ smooth alpha",
  NACLLoss: "classes dim kernel_size kernel_ops distance_type alpha sigma",
};

/** The options of a loss under voxgrad's names. Throws `UnknownOption`. */
export function optionsOf(name: string, args: Case["args"]): Record<string, any> {
  expectKnown(name, args, known[name].split(" "));
  return options(args);
}

type Loss = (input: Tensor, target: Tensor, options: any, test: Case, dev: Device) => Tensor;

/** Integers stay integers where the case has them. */
const upload = (dev: Device, value: HostArray) => dev.tensor(value, floating(value) ? "f32" : "i32");
const floating = ({ data }: HostArray) => data instanceof Float32Array || data instanceof Float64Array;

/** For a case of options that the constructor refuses. */
const anything: HostArray = { data: new Float32Array(8), shape: [1, 2, 2, 2] };

/** A loss of input and target. */
const loss =
  (name: string, compute: Loss, names: readonly [string, string] = ["input", "target"]): Adapter =>
  async (test) => {
    const settings = optionsOf(name, test.args);
    const dev = await device();
    const [input, target] = names.map((name): HostArray => test.inputs[name] ?? anything);
    return probed(dev, test, input, (x) => compute(x, upload(dev, target), settings, test, dev));
  };

/** What a loss gives, and its gradient of Σ out · wave(1, 0.53, 1, 0) if the case has one. */
async function probed(dev: Device, { expected }: Case, input: HostArray, compute: (x: Tensor) => Tensor): Promise<unknown> {
  const x = dev.tensor(input);
  const wanted = Object.keys(expected?.grads ?? {});
  x.requiresGrad = wanted.length > 0;
  const y = compute(x);
  const out = { data: await y.data(), shape: y.shape };
  if (wanted.length === 0) return out;
  const probe = wave({ shape: [...y.shape], a: 1, b: 0.53, c: 1, d: 0 });
  const [dx] = grad(sum(mul(y, dev.tensor(probe))), [x]);
  return { out, grads: { [wanted[0]]: { data: await dx.data(), shape: dx.shape } } };
}

const rows = ({ data, shape }: HostArray): number[][] =>
  Array.from({ length: shape[0] }, (_, r) => Array.from({ length: shape[1] }, (_, c) => Number(data[r * shape[1] + c])));

export const losses: Record<string, Loss> = {
  DiceLoss: diceLoss,
  DiceCELoss: diceCELoss,
  DiceFocalLoss: diceFocalLoss,
  FocalLoss: focalLoss,
  GeneralizedDiceLoss: generalizedDiceLoss,
  GeneralizedDiceFocalLoss: generalizedDiceFocalLoss,
  TverskyLoss: tverskyLoss,
  HausdorffDTLoss: (input, target, o) => hausdorffDTLoss(input, target, { ...o, compat: "monai" }),
  LogHausdorffDTLoss: (input, target, o) => logHausdorffDTLoss(input, target, { ...o, compat: "monai" }),
  MaskedDiceLoss: (input, target, o, { inputs }, dev) =>
    maskedDiceLoss(input, target, { ...o, mask: inputs.mask && dev.tensor(inputs.mask) }),
  SoftclDiceLoss: (input, target, { iter_: iter, ...o }) =>
    softclDiceLoss(input, target, { ...o, ...(iter !== undefined && { iter }) }),
  SoftDiceclDiceLoss: (input, target, { iter_: iter, ...o }) =>
    softDiceclDiceLoss(input, target, { ...o, ...(iter !== undefined && { iter }) }),
  // Classes and axes are those of the input.
  NACLLoss: (input, target, { classes, dim: _, ...o }) => {
    if (classes !== input.shape[1]) throw new NotCovered("other classes than the input's");
    return naclLoss(input, target, o);
  },
  GeneralizedWassersteinDiceLoss: (input, target, { distMatrix: _, ...o }, { args }) =>
    generalizedWassersteinDiceLoss(input, target, rows(args.dist_matrix), { ...o, compat: "monai" }),
};

/** The loss that a case names, as `{ DiceLoss: { options } }`, or by its name or class alone, whose options are then `more`. */
function innerLoss(
  op: string,
  inner: unknown,
  more: Case["args"] = {},
): (input: Tensor, target: Tensor, test: Partial<Case>, dev: Device) => Tensor {
  const [name = "", args] =
    typeof inner === "string" ? [/(\w+)(?:'>)?$/.exec(inner)?.[1], more] : (Object.entries({ ...(inner as object) })[0] ?? []);
  const compute = losses[name];
  if (!compute) throw new NotCovered(`the inner loss of a ${op} that is not named with its options`);
  const settings = optionsOf(name, (args ?? {}) as Case["args"]);
  return (input, target, test, dev) => compute(input, target, settings, { args, ...test } as Case, dev);
}

/** The loss of what a mask leaves. */
const masked: Adapter = async (test) => {
  const { args, inputs } = test;
  const { loss: inner, loss_kwargs: options, ...rest } = args;
  const dev = await device();
  const compute = innerLoss("MaskedLoss", typeof inner === "function" ? inner.name : inner, { ...rest, ...options });
  const mask = inputs.mask ? dev.tensor(inputs.mask) : undefined;
  return probed(dev, test, inputs.input, (x) => maskedLoss(x, dev.tensor(inputs.target), mask, (a, b) => compute(a, b, {}, dev)));
};

/** The outputs are a list, or one tensor; the loss is given as `{ DiceLoss: { options } }`. */
const deepSupervision: Adapter = async (test) => {
  const { args, inputs } = test;
  const dev = await device();
  const { loss: inner, ...rest } = args;
  const compute = innerLoss("DeepSupervisionLoss", inner);
  const settings = optionsOf("DeepSupervisionLoss", rest);
  const [first, ...levels] = [inputs.input].flat() as HostArray[];
  return probed(dev, test, first, (x) =>
    deepSupervisionLoss(
      Array.isArray(inputs.input) ? [x, ...levels.map((level) => dev.tensor(level))] : x,
      upload(dev, inputs.target),
      (output, target) => compute(output, target, { inputs }, dev),
      settings,
    ),
  );
};

/** Upstream gives the truth first, or has other names. */
const inputNames: Readonly<Record<string, readonly [string, string]>> = {
  SoftclDiceLoss: ["y_pred", "y_true"],
  SoftDiceclDiceLoss: ["y_pred", "y_true"],
  NACLLoss: ["inputs", "targets"],
};

export const adapters: Adapters = {
  ...Object.fromEntries(
    Object.entries(losses).map(([name, compute]) => [`monai.losses.${name}`, loss(name, compute, inputNames[name])]),
  ),
  "monai.losses.MaskedLoss": masked,
  "monai.losses.AsymmetricUnifiedFocalLoss": loss("AsymmetricUnifiedFocalLoss", asymmetricUnifiedFocalLoss, ["y_pred", "y_true"]),
  "monai.losses.DeepSupervisionLoss": deepSupervision,
};
