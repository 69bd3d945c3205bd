/**
 * @file Results of more than 2³¹ elements, some of them with counts that would wrap to a few in 32 bits: `TensorTooLargeError` at the call that asks,
 * eagerly and inside a capture, and nothing left behind.
 */

import { expect, test } from "vitest";
import * as vx from "../../src/index.ts";
import { type Device, sizeOf, type Tensor } from "../../src/index.ts";
import { device } from "../lib/device.ts";

type Make = (shape: readonly number[]) => Tensor;

// 65,537 · 65,536 elements are 65,536 in 32 bits.
const wide = [65537, 65536] as const;

const calls: Readonly<Record<string, (zeros: Make, on: Device) => unknown>> = {
  "empty of 2^32": (_, on) => on.empty([65536, 65536]),
  empty: (_, on) => on.empty(wide),
  "empty i32": (_, on) => on.empty(wide, "i32"),
  "empty f16": (_, on) => on.empty(wide, "f16"),
  "empty of 2^31": (_, on) => on.empty([2 ** 31]),
  zeros: (_, on) => vx.zeros(on, wide),
  ones: (_, on) => vx.ones(on, wide),
  full: (_, on) => vx.full(on, [2 ** 33], 1),
  arange: (_, on) => vx.arange(on, 0, 2 ** 32),
  linspace: (_, on) => vx.linspace(on, 0, 1, 2 ** 32),
  eye: (_, on) => vx.eye(on, ...wide),
  expand: (z) => vx.expand(z([1, 1]), wide),
  concat: (z) => vx.concat(new Array<Tensor>(4097).fill(z([1, 2 ** 20])), 0),
  stack: (z) => vx.stack(new Array<Tensor>(4097).fill(z([2 ** 20]))),
  pad: (z) => vx.pad(z([2, 2]), [65536, 0, 65535, 0]),
  "pad of one axis": (z) => vx.pad(z([1, 1, 1]), [2 ** 31, 2 ** 31]),
  "pad replicate": (z) => vx.pad(z([2, 2]), [65536, 0, 65535, 0], { mode: "replicate" }),
  repeat: (z) => vx.repeat(z([2, 2]), wide),
  tile: (z) => vx.tile(z([2, 2]), wide),
  interpolate: (z) => vx.interpolate(z([1, 1, 2, 2]), { size: wide }),
  "interpolate bilinear": (z) => vx.interpolate(z([1, 1, 2, 2]), { size: wide, mode: "bilinear" }),
  "interpolate one axis": (z) => vx.interpolate(z([1, 1, 2]), { size: 2 ** 33 }),
  adaptiveAvgPool: (z) => vx.adaptiveAvgPool(z([1, 1, 2, 2]), wide),
  "adaptiveAvgPool of one axis": (z) => vx.adaptiveAvgPool(z([1, 1, 2]), 2 ** 31),
  adaptiveMaxPool: (z) => vx.adaptiveMaxPool(z([1, 1, 2, 2]), wide),
  maxUnpool: (z) => vx.maxUnpool(z([1, 1, 2, 2]), vx.cast(z([1, 1, 2, 2]), "i32"), { kernelSize: 40000 }),
  matmul: (z) => vx.matmul(z([65537, 1]), z([1, 65536])),
  "matmul, batched": (z) => vx.matmul(z([65537, 1, 1]), z([1, 65536])),
  linear: (z) => vx.linear(z([65537, 1]), z([65536, 1])),
  conv: (z) => vx.conv(z([1, 1, 1, 1]), z([1, 1, 1, 1]), undefined, { padding: 40000 }),
  "conv to many channels": (z) => vx.conv(z([1, 1, 256, 256]), z([65537, 1, 1, 1])),
  "conv replicate": (z) => vx.conv(z([1, 1, 1, 1]), z([1, 1, 1, 1]), undefined, { padding: 40000, paddingMode: "replicate" }),
  convTranspose: (z) => vx.convTranspose(z([1, 1, 3, 3]), z([1, 1, 1, 1]), undefined, { stride: 40000 }),
  oneHot: (z) => vx.oneHot(z([1, 1, 65536]), 65537),
  add: (z) => vx.add(z([65537, 1]), z([1, 65536])),
  where: (z) => vx.where(z([65537, 1]), z([1, 65536]), 0),
  affineGrid: (z) => vx.affineGrid(z([1, 2, 3]), [1, 1, ...wide]),
};

test.each(Object.keys(calls))("too-large/%s", async (name) => {
  const on = await device();
  const zeros: Make = (shape) => on.tensor({ shape, data: new Float32Array(sizeOf(shape)) });
  const before = on.memory.live;
  expect(() => vx.scope(() => void calls[name](zeros, on)), "eagerly").toThrow(vx.TensorTooLargeError);
  const step = vx.capture(on, () => {
    calls[name](zeros, on);
    return vx.zeros(on, [1]);
  });
  expect(() => step(), "captured").toThrow(vx.TensorTooLargeError);
  step.dispose();
  expect(on.memory.live, "bytes left behind").toBe(before);
  // And the device works on.
  const one = vx.ones(on, [1]);
  expect(await one.item()).toBe(1);
  one.dispose();
});
