/** @file Pools. */

import { pad } from "../../../autograd/pad.ts";
import { maxPoolWithIndices, maxUnpool } from "../../../autograd/pool.ts";
import { amax, mean, type ReduceOptions } from "../../../autograd/reduce.ts";
import { type AxisMap, mapRow } from "../../../kernels/resample.ts";
import type { Tensor } from "../../../tensor/tensor.ts";
import { native } from "../../native.ts";
import { type Value } from "../../values.ts";
import type { Call, Op } from "../call.ts";
import { applyMaps, mapsGradient } from "../maps.ts";
import type { Operators } from "../operator.ts";
import { planeIndices, toPlaneIndices } from "../plane_indices.ts";
import { window, type Window } from "../window.ts";

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

export function averagePool(c: Call, x: Tensor): Tensor {
  const w = window(c, x.shape.slice(2));
  const { size, kernel, stride, dilation, pads } = w;
  const whole = c.flag("count_include_pad");
  const out = poolSizes(c, w);
  const maps = size.map((n, axis): AxisMap => {
    const rows = Array.from({ length: out[axis] }, (_, o) => {
      const places = Array.from({ length: kernel[axis] }, (_, t) => o * stride[axis] - pads[axis][0] + t * dilation[axis]);
      const inside = places.filter((p) => p >= 0 && p < n);
      const count = whole ? places.filter((p) => p < n + pads[axis][1]).length : inside.length;
      return { ...mapRow(inside.map((p) => [p, 1])), divisor: Math.max(1, count) };
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

const overAll =
  (fn: (x: Tensor, axes: readonly number[], options: ReduceOptions) => Tensor): Op =>
  (c) => {
    const x = c.float(0);
    return fn(x, x.shape.map((_, i) => i).slice(2), { keepDims: true });
  };

export const operators: Operators = {
  AveragePool: { device: (c) => averagePool(c, c.float(0)) },
  GlobalAveragePool: { device: overAll(mean) },
  GlobalMaxPool: { device: overAll(amax) },
  MaxPool: { device: maximumPool },
  MaxUnpool: { device: unpool, known: [2], planes: true },
};
