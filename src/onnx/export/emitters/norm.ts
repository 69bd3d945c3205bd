/** @file Nodes of norms. */

import type { Emission, Emitter, Emitters } from "../emission.ts";
import { axesOf } from "./attributes.ts";

/** Scale and shift, of ones and zeros where there are none. */
const affineInputs = ({ builder, inputs: [, weight, bias] }: Emission, shape: readonly number[]): [string, string] => [
  weight ?? builder.filled(shape, 1),
  bias ?? builder.filled(shape, 0),
];

const perChannel = (e: Emission, name: string): string =>
  axesOf(e) > 0 ? e.builder.node("Unsqueeze", [name, e.builder.ints(e.result.shape.slice(2).map((_, i) => i + 1))]) : name;

const groupNorm: Emitter = (e) => {
  const { builder, inputs, result } = e;
  const [groups, eps]: number[] = [e.args.groups, e.args.eps];
  const channels = result.shape[1];
  const epsilon = { float: eps };
  if (groups === channels) return builder.node("InstanceNormalization", [inputs[0], ...affineInputs(e, [channels])], { epsilon });
  // As PyTorch writes it: GroupNormalization has a scale per channel from operator set 21 on only.
  const apart = builder.node("Reshape", [inputs[0], builder.ints([0, groups, -1])]);
  const flat = builder.node("InstanceNormalization", [apart, builder.filled([groups], 1), builder.filled([groups], 0)], {
    epsilon,
  });
  const y = builder.node("Reshape", [flat, builder.node("Shape", [inputs[0]])]);
  if (!inputs[1] || !inputs[2]) return y;
  return builder.node("Add", [builder.node("Mul", [y, perChannel(e, inputs[1])]), perChannel(e, inputs[2])]);
};

const layerNorm: Emitter = (e) => {
  const [axes, eps]: number[] = [e.args.axes, e.args.eps];
  const [scale, shift] = affineInputs(e, e.result.shape.slice(-axes));
  return e.builder.node("LayerNormalization", [e.inputs[0], scale, shift], { axis: -axes, epsilon: { float: eps } });
};

const fixedBatchNorm: Emitter = (e) => {
  const [x, , , mean, variance] = e.inputs;
  const [scale, shift] = affineInputs(e, [e.result.shape[1]]);
  return e.builder.node("BatchNormalization", [x, scale, shift, mean, variance], { epsilon: { float: e.args.eps } });
};

// In evaluation only without running statistics: those of the batch.
const batchNorm: Emitter = (e) => {
  const { builder, inputs, result } = e;
  const axes = builder.ints(result.shape.map((_, i) => i).filter((i) => i !== 1));
  const centered = builder.node("Sub", [inputs[0], builder.node("ReduceMean", [inputs[0], axes])]);
  const variance = builder.node("ReduceMean", [builder.node("Mul", [centered, centered]), axes]);
  const deviation = builder.node("Sqrt", [builder.node("Add", [variance, builder.float(e.args.eps)])]);
  const y = builder.node("Div", [centered, deviation]);
  if (!inputs[1] || !inputs[2]) return y;
  return builder.node("Add", [builder.node("Mul", [y, perChannel(e, inputs[1])]), perChannel(e, inputs[2])]);
};

export const emitters: Emitters = { instanceNorm: groupNorm, groupNorm, layerNorm, fixedBatchNorm, batchNorm };
