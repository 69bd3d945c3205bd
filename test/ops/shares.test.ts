/**
 * @file Kernels whose threads have several elements on a software adapter: tensors so large that they do, of sizes that nothing divides, have the bits that one element
 * a thread gives, as on hardware.
 */
import { expect, test } from "vitest";
import * as vx from "../../src/index.ts";
import { backpropagate } from "../../src/autograd/tape.ts";
import { dropout } from "../../src/kernels/dropout.ts";
import { channelLine } from "../../src/kernels/norm/channel_line.ts";
import type { TypedArray } from "../../src/host/array.ts";
import type { KernelCall } from "../../src/tensor/kernel.ts";
import { expectSameBits } from "../lib/compare.ts";
import { asOnHardware, gpu, pattern, seedOf } from "./many_workgroups.ts";

const shape = [3, 5, 67, 43];
const channels = [1, 5, 1, 1];
const x = () => pattern(shape);

const ops: Record<string, () => vx.Tensor> = {
  "a function of one tensor": () => vx.gelu(x()),
  "its gradient": () => gradient((t) => vx.elu(t), x()),
  "a function of two": () => vx.maximum(x(), pattern(shape, seedOf)),
  "of a tensor and a number": () => vx.mul(x(), 3),
  "a row for each channel": () => vx.sub(x(), pattern(channels)),
  "a channel for each row": () =>
    vx.div(
      pattern(channels),
      pattern([3, 1, 67, 43], (i) => 1 + (i % 5)),
    ),
  "along the first axis": () => vx.add(pattern([3, 1, 1, 1]), x()),
  "along the last axis": () => vx.mul(pattern([43]), x()),
  "columns by rows": () => vx.mul(pattern([211, 1]), pattern([1, 203])),
  "the gradient of a broadcast one": () =>
    gradient(
      (t) =>
        vx.pow(
          t,
          pattern(channels, () => 1.5),
        ),
      x(),
      Math.abs,
    ),
  where: () => vx.where(vx.gt(x(), 0), pattern([43]), pattern(channels)),
  "where of one shape": () => vx.where(x(), pattern(shape, seedOf), 2),
  cast: () => vx.cast(x(), "i32"),
  full: () => vx.full(gpu, shape, 0.75),
  "full in fours": () => vx.full(gpu, [4, ...shape], 0.75),
  prelu: () => vx.prelu(x(), pattern([5])),
  "prelu's gradient": () => gradient((t) => vx.prelu(t, pattern([5])), x()),
  "a line per channel": () => channelLine(x(), pattern([5]), pattern([5], seedOf), 0),
  dropout: () => dropout(x(), gpu.tensor({ data: new Uint32Array([7, 0, 3, 0]), shape: [4] }), 0.4, 1),
  "dropout of channels": () => dropout(x(), gpu.tensor({ data: new Uint32Array([7, 0, 3, 0]), shape: [4] }), 0.4, 67 * 43),
  triu: () => vx.triu(x(), -3),
  slice: () => vx.slice(pattern([3, 5, 71, 47]), [undefined, undefined, [2, 69], [3, 46]]),
  "slice of steps": () => vx.slice(pattern([3, 5, 139, 47]), [undefined, undefined, [1, 139, 2], [3, 46]]),
  "slice of few, of many rows": () => vx.slice(pattern([2111, 5, 5]), [undefined, [1, 4], [1, 4]]),
  "slice in fours": () => vx.slice(pattern([3, 5, 71, 48]), [undefined, undefined, [2, 69], [4, 44]]),
  permute: () => vx.permute(x(), [0, 2, 3, 1]),
  "permute rows": () => vx.permute(x(), [3, 2, 1, 0]),
  flip: () => vx.flip(x(), [1, 3]),
  expand: () => vx.expand(pattern([3, 1, 67, 1]), [3, 5, 67, 43]),
  "concat of last axes": () => vx.concat([x(), pattern([3, 5, 67, 7])], 3),
  pixelShuffle: () => vx.pixelShuffle(pattern([1, 8, 67, 43]), 2),
  pixelUnshuffle: () => vx.pixelUnshuffle(pattern([3, 2, 68, 46]), 2),
  roll: () => vx.roll(x(), [5, -7], [2, 3]),
  "pad with zeros": () => vx.pad(x(), [3, 1, 0, 2]),
  "pad by reflection": () => vx.pad(x(), [5, 3, 2, 4], { mode: "reflect" }),
  crop: () => vx.pad(x(), [-3, -1, 2, -2], { value: 2 }),
};

function gradient(f: (x: vx.Tensor) => vx.Tensor, input: vx.Tensor, of: (v: number) => number = (v) => v): vx.Tensor {
  const data = pattern(input.shape, (i) => of(seedOf(i)));
  data.requiresGrad = true;
  return backpropagate(f(data), pattern(shape, seedOf), [data])[0]!;
}

/** What `fn` gives, and the workgroups that it took. */
async function workOf(fn: () => vx.Tensor): Promise<[bits: TypedArray, workgroups: number]> {
  let workgroups = 0;
  const run = gpu.run.bind(gpu);
  gpu.run = (call: KernelCall) => {
    workgroups += call.workgroups.reduce((a, b) => a * b);
    run(call);
  };
  try {
    const y = vx.scope(fn);
    const bits = await y.data();
    y.dispose();
    return [bits, workgroups];
  } finally {
    gpu.run = run;
  }
}

test.each(Object.keys(ops))("%s", async (name) => {
  const [expected, many] = await workOf(() => asOnHardware(ops[name]));
  const [bits, few] = await workOf(ops[name]);
  expectSameBits(name, bits, expected);
  expect(few, "workgroups").toBeLessThan(many / 2);
});
