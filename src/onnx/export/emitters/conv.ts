/** @file Nodes of convolutions. */

import { type ConvOptions, convPadding, type ConvTransposeOptions, paddings } from "../../../kernels/conv/shape.ts";
import type { Emitter, Emitters } from "../emission.ts";
import { axesOf, ends, perAxis } from "./attributes.ts";

const conv: Emitter = (e) => {
  const options = e.args.options as ConvOptions;
  const [x, weight] = e.tensors;
  const y = e.builder.node("Conv", e.inputs, {
    kernel_shape: weight!.shape.slice(2),
    strides: perAxis(e, options.stride, 1),
    dilations: perAxis(e, options.dilation, 1),
    pads: ends(convPadding(x!.shape, weight!.shape, options)),
    group: options.groups ?? 1,
  });
  return options.activation === "relu" ? e.builder.node("Relu", [y]) : y;
};

const convTranspose: Emitter = (e) => {
  const options = e.args.options as ConvTransposeOptions;
  return e.builder.node("ConvTranspose", e.inputs, {
    kernel_shape: e.tensors[1]!.shape.slice(2),
    strides: perAxis(e, options.stride, 1),
    dilations: perAxis(e, options.dilation, 1),
    pads: ends(paddings(e.op, options.padding ?? 0, axesOf(e))),
    output_padding: perAxis(e, options.outputPadding, 0),
    group: options.groups ?? 1,
  });
};

export const emitters: Emitters = { conv, convTranspose };
