/** @file nnU-Net's losses on the GPU. */
import { type Device, type Tensor } from "../../../src/index.ts";
import {
  dcAndBCELoss,
  dcAndCELoss,
  dcAndTopKLoss,
  deepSupervisionWeights,
  robustCrossEntropyLoss,
  softDiceLoss,
  topKLoss,
} from "../../../src/nn/index.ts";
import type { HostArray } from "../../../src/host/array.ts";
import { type Adapter, type Adapters, type Case, expectKnown, NotCovered } from "../format.ts";
import { device } from "../device.ts";

const given = <T extends Record<string, unknown>>(record: T): T =>
  Object.fromEntries(Object.entries(record).filter(([, v]) => v !== null && v !== undefined)) as T;

const nonlinearities: Record<string, "softmax" | "sigmoid"> = {
  "softmax(dim=1)": "softmax",
  softmax_helper_dim1: "softmax",
  "torch.sigmoid": "sigmoid",
  sigmoid: "sigmoid",
};

function nonlinearity(name: string | null | undefined): "softmax" | "sigmoid" | undefined {
  if (!name) return undefined;
  if (!nonlinearities[name]) throw new NotCovered(`the nonlinearity ${name}`);
  return nonlinearities[name];
}

/** Option names, in the call and in its records of options. */
const diceNames = "batch_dice do_bg smooth clip_tp ddp apply_nonlin";
const entropyNames = "weight label_smoothing ignore_index k reduction";
const known: Record<string, string> = {
  dice: diceNames,
  entropy: `${entropyNames} ce_kwargs`,
  combined: `${diceNames} ${entropyNames} weight_ce weight_dice ignore_label use_ignore_label soft_dice_kwargs ce_kwargs bce_kwargs dice_class`,
  soft_dice_kwargs: diceNames,
  ce_kwargs: entropyNames,
  bce_kwargs: "weight pos_weight reduction",
};

/** Throws `UnknownOption` for one that is not known, also in the records of options. */
function expectOptions(op: string, args: Case["args"], kind: string): void {
  expectKnown(op, args, known[kind].split(" "));
  for (const name of ["soft_dice_kwargs", "ce_kwargs", "bce_kwargs"]) {
    if (args[name]) expectKnown(`${op}'s ${name}`, args[name], known[name].split(" "));
  }
}

const softDice = (args: Case["args"]) =>
  given({ batchDice: args.batch_dice, doBg: args.do_bg, smooth: args.smooth, clipTp: args.clip_tp });

const vector = (dev: Device, value: HostArray | number[] | undefined | null): Tensor | undefined =>
  value ? dev.tensor(Array.isArray(value) ? { data: value, shape: [value.length] } : value) : undefined;

/** Options of the cross-entropies, from the call or from its `ce_kwargs`. */
const entropy = (dev: Device, args: Case["args"]) => {
  const { weight, label_smoothing, ignore_index, k, reduction } = { ...args, ...args.ce_kwargs };
  return given({ weight: vector(dev, weight), labelSmoothing: label_smoothing, ignoreIndex: ignore_index, k, reduction });
};

const combined = (args: Case["args"]) => ({
  softDice: softDice({ ...args, ...args.soft_dice_kwargs }),
  ...given({ weightCe: args.weight_ce, weightDice: args.weight_dice, ignoreLabel: args.ignore_label }),
});

type Loss = (dev: Device, input: Tensor, target: Tensor, test: Case) => Tensor;

const loss =
  (kind: string, compute: Loss, names: readonly [string, string]): Adapter =>
  async (test) => {
    expectOptions(test.op, test.args, kind);
    const dev = await device();
    const [input, target] = names.map((name) => test.inputs[name] as HostArray);
    const dtype = target.data instanceof Int32Array ? "i32" : "f32";
    const y = compute(dev, dev.tensor(input), dev.tensor(target, dtype), test);
    return { data: await y.data(), shape: y.shape };
  };

const dice = loss(
  "dice",
  (dev, x, y, { args, inputs }) =>
    softDiceLoss(x, y, {
      ...softDice(args),
      applyNonlin: nonlinearity(args.apply_nonlin),
      ...(inputs.loss_mask && { mask: dev.tensor(inputs.loss_mask) }),
    }),
  ["x", "y"],
);

const pair = (compute: Loss) => loss("combined", compute, ["net_output", "target"]);

export const adapters: Adapters = {
  "nnunet.SoftDiceLoss": dice,
  "nnunet.MemoryEfficientSoftDiceLoss": dice,
  "nnunet.DC_and_CE_loss": pair((dev, x, y, { args }) => dcAndCELoss(x, y, { ...combined(args), ce: entropy(dev, args) })),
  "nnunet.DC_and_topk_loss": pair((dev, x, y, { args }) => dcAndTopKLoss(x, y, { ...combined(args), ce: entropy(dev, args) })),
  "nnunet.DC_and_BCE_loss": pair((dev, x, y, { args }) =>
    dcAndBCELoss(x, y, {
      ...combined(args),
      ...given({ useIgnoreLabel: args.use_ignore_label }),
      bce: given({ posWeight: vector(dev, args.bce_kwargs?.pos_weight), weight: vector(dev, args.bce_kwargs?.weight) }),
    }),
  ),
  "nnunet.TopKLoss": loss("entropy", (dev, x, y, { args }) => topKLoss(x, y, entropy(dev, args)), ["inp", "target"]),
  "nnunet.RobustCrossEntropyLoss": loss("entropy", (dev, x, y, { args }) => robustCrossEntropyLoss(x, y, entropy(dev, args)), [
    "input",
    "target",
  ]),
  "nnunet.deep_supervision_weights": ({ args }) => deepSupervisionWeights(args.n_outputs),
};
