/** @file Convolutions and pools: operators with a window, whose paddings ONNX gives per end or asks to be worked out. */

import { conv, convTranspose } from "../../../autograd/conv.ts";
import { pad } from "../../../autograd/pad.ts";
import { add } from "../../../autograd/pointwise.ts";
import { maxPoolWithIndices, maxUnpool } from "../../../autograd/pool.ts";
import { reshape } from "../../../autograd/view.ts";
import { type AxisMap, mapRow } from "../../../kernels/resample.ts";
import type { Tensor } from "../../../tensor/tensor.ts";
import type { Call, Ops } from "../call.ts";
import type { Value } from "../../values.ts";
import { applyMaps, mapsGradient } from "../maps.ts";
import { native } from "../../native.ts";
import { planeIndices, toPlaneIndices } from "../plane_indices.ts";

type Ends = readonly [before: number, after: number];

interface Window {
  readonly size: readonly number[];
  readonly kernel: readonly number[];
  readonly stride: readonly number[];
  readonly dilation: readonly number[];
  /** What a window covers. */
  readonly reach: readonly number[];
  readonly pads: readonly Ends[];
}

const autoPads = ["NOTSET", "SAME_UPPER", "SAME_LOWER", "VALID"] as const;

function expectLength(c: Call, name: string, list: readonly number[], dims: number, least: number): readonly number[] {
  if (list.length !== dims || list.some((v) => !Number.isSafeInteger(v) || v < least)) {
    throw c.wrong(`${name} [${list.join(", ")}] for ${dims} spatial axes`);
  }
  return list;
}

function window(c: Call, size: readonly number[], taps?: readonly number[]): Window {
  const dims = size.length;
  const ones = size.map(() => 1);
  const list = (name: string, fallback: readonly number[], least: number) =>
    expectLength(c, name, c.ints(name) ?? fallback, dims, least);
  const kernel = list("kernel_shape", taps ?? [], 1);
  const stride = list("strides", ones, 1);
  const dilation = list("dilations", ones, 1);
  const reach = kernel.map((k, i) => (k - 1) * dilation[i] + 1);
  return { size, kernel, stride, dilation, reach, pads: paddings(c, size, stride, reach) };
}

function paddings(c: Call, size: readonly number[], stride: readonly number[], reach: readonly number[]): Ends[] {
  const auto = c.choice("auto_pad", autoPads);
  if (auto === "VALID") return size.map(() => [0, 0]);
  if (auto === "NOTSET") {
    const pads = c.ints("pads") ?? size.flatMap(() => [0, 0]);
    expectLength(c, "pads", pads, 2 * size.length, -Infinity);
    return size.map((_, i) => [pads[i], pads[i + size.length]]);
  }
  return size.map((n, i) => {
    const total = Math.max(0, (Math.ceil(n / stride[i]) - 1) * stride[i] + reach[i] - n);
    const less = Math.floor(total / 2);
    return auto === "SAME_UPPER" ? [less, total - less] : [total - less, less];
  });
}

function convolution(c: Call): Tensor {
  const [x, weight] = [c.float(0), c.float(1)];
  const { stride, dilation, pads } = window(c, x.shape.slice(2), weight.shape.slice(2));
  return conv(x, weight, c.optional(2), { stride, dilation, padding: pads, groups: c.int("group", 1) });
}

function transposed(c: Call): Tensor {
  const [x, weight, bias] = [c.float(0), c.float(1), c.optional(2)];
  const size = x.shape.slice(2);
  const { stride, dilation, reach, pads } = window(c, size, weight.shape.slice(2));
  const extra = expectLength(c, "output_padding", c.ints("output_padding") ?? size.map(() => 0), size.length, 0);
  const wanted = c.ints("output_shape")?.slice(-size.length);
  const auto = c.choice("auto_pad", autoPads);
  const same = auto === "SAME_UPPER" || auto === "SAME_LOWER";
  const whole = size.map((n, i) => (n - 1) * stride[i] + reach[i]);
  // What is taken away at each end so that the result has the size that is asked for; negative where it must grow.
  const ends = size.map((n, i): Ends => {
    if (!wanted && !same) return [pads[i][0], pads[i][1] - extra[i]];
    const total = whole[i] + extra[i] - (wanted ? wanted[i] : n * stride[i]);
    const [less, more] = [Math.floor(total / 2), Math.ceil(total / 2)];
    const [before, after] = total < 0 ? [0, total] : auto === "SAME_UPPER" ? [less, more] : [more, less];
    return [before, after - extra[i]];
  });
  const options = { stride, dilation, groups: c.int("group", 1) };
  const padding = ends.map(([before, after]): Ends => [Math.max(0, before), Math.max(0, after)]);
  const outputPadding = ends.map(([, after]) => Math.max(0, -after));
  const fits = outputPadding.every((e, i) => e < Math.max(stride[i], dilation[i])) && ends.every(([before]) => before >= 0);
  if (fits) return convTranspose(x, weight, bias, { ...options, padding, outputPadding });
  const y = pad(
    convTranspose(x, weight, undefined, options),
    ends.toReversed().flatMap(([before, after]) => [-before, -after]),
  );
  return bias ? add(y, reshape(bias, [1, bias.size, ...size.map(() => 1)])) : y;
}

/** Output sizes of a pool: a last window that would begin after the input and the padding before it does not count. */
function poolSizes(c: Call, { size, stride, reach, pads }: Window): number[] {
  const ceil = c.flag("ceil_mode");
  const out = size.map((n, i) => {
    const steps = (n + pads[i][0] + pads[i][1] - reach[i]) / stride[i];
    const count = (ceil ? Math.ceil(steps) : Math.floor(steps)) + 1;
    return ceil && (count - 1) * stride[i] >= n + pads[i][0] ? count - 1 : count;
  });
  if (out.some((n) => n < 1)) throw c.wrong(`the window [${reach.join(", ")}] is larger than the input [${size.join(", ")}]`);
  return out;
}

const lowest = -3.4028234663852886e38;

function maximumPool(c: Call): Value[] {
  const x = c.float(0);
  const w = window(c, x.shape.slice(2));
  const { size, kernel, stride, dilation, reach, pads } = w;
  const wantsIndices = c.node.outputs.length > 1 && c.node.outputs[1] !== "";
  if (wantsIndices && c.flag("storage_order")) throw c.unsupported("storage_order = 1 of indices");
  const options = { kernelSize: kernel, stride, dilation };
  const even = pads.every(([a, b], i) => a === b && a >= 0 && a <= Math.floor(reach[i] / 2));
  if (even) {
    const { output, indices } = maxPoolWithIndices(x, {
      ...options,
      padding: pads.map(([a]) => a),
      ceilMode: c.flag("ceil_mode"),
    });
    return wantsIndices ? [output, planeIndices(indices, size)] : [withoutIndices(output, indices)];
  }
  if (wantsIndices) throw c.unsupported("indices with a padding that differs between the ends");
  // Exactly what the windows cover.
  const ends = poolSizes(c, w).map((n, i) => [pads[i][0], (n - 1) * stride[i] + reach[i] - size[i] - pads[i][0]]);
  const wide = pad(x, ends.toReversed().flat(), { value: lowest });
  const { output, indices } = maxPoolWithIndices(wide, options);
  if (output.origin === undefined) wide.dispose();
  return [withoutIndices(output, indices)];
}

function withoutIndices(output: Tensor, indices: Tensor): Tensor {
  if (output.origin === undefined) indices.dispose();
  return output;
}

function averagePool(c: Call): Tensor {
  const x = c.float(0);
  const w = window(c, x.shape.slice(2));
  const { size, kernel, stride, dilation, pads } = w;
  const whole = c.flag("count_include_pad");
  const out = poolSizes(c, w);
  const maps = size.map((n, axis): AxisMap => {
    const rows = Array.from({ length: out[axis] }, (_, o) => {
      const places = Array.from({ length: kernel[axis] }, (_, t) => o * stride[axis] - pads[axis][0] + t * dilation[axis]);
      const inside = places.filter((p) => p >= 0 && p < n);
      const count = whole ? places.filter((p) => p < n + pads[axis][1]).length : inside.length;
      return mapRow(inside.map((p) => [p, 1 / count]));
    });
    return { from: n, rows };
  });
  const all = [undefined, undefined, ...maps];
  return native(x, applyMaps(x, all), (dy) => [mapsGradient(dy, all)], {
    op: "AveragePool",
    attributes: {
      kernel_shape: kernel,
      strides: stride,
      dilations: dilation,
      pads: [...pads.map(([before]) => before), ...pads.map(([, after]) => after)],
      ceil_mode: c.int("ceil_mode", 0),
      count_include_pad: whole ? 1 : 0,
    },
    operands: [],
  });
}

function unpool(c: Call): Tensor {
  const x = c.float(0);
  const indices = c.tensor(1);
  const { kernel, stride, pads } = window(c, x.shape.slice(2));
  if (pads.some(([a, b]) => a !== b)) throw c.unsupported("padding that differs between the ends");
  const padding = pads.map(([a]) => a);
  const wanted = c.list(2)?.slice(2);
  const size = wanted ?? kernel.map((k, i) => (x.shape[i + 2] - 1) * stride[i] - 2 * padding[i] + k);
  return maxUnpool(x, toPlaneIndices(c, indices, size), { kernelSize: kernel, stride, padding, outputSize: size });
}

export const windowOps: Ops = {
  AveragePool: averagePool,
  Conv: convolution,
  ConvTranspose: transposed,
  MaxPool: maximumPool,
  MaxUnpool: unpool,
};
