/** @file What operators with a window share: paddings that ONNX gives per end or asks to be worked out. */

import type { Call } from "./call.ts";

export type Ends = readonly [before: number, after: number];

export interface Window {
  readonly size: readonly number[];
  readonly kernel: readonly number[];
  readonly stride: readonly number[];
  readonly dilation: readonly number[];
  /** What a window covers. */
  readonly reach: readonly number[];
  readonly pads: readonly Ends[];
}

export const autoPads = ["NOTSET", "SAME_UPPER", "SAME_LOWER", "VALID"] as const;

export function expectLength(c: Call, name: string, list: readonly number[], dims: number, least: number): readonly number[] {
  if (list.length !== dims || list.some((v) => !Number.isSafeInteger(v) || v < least)) {
    throw c.wrong(`${name} [${list.join(", ")}] for ${dims} spatial axes`);
  }
  return list;
}

export function window(c: Call, size: readonly number[], taps?: readonly number[]): Window {
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
