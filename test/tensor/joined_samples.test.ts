/**
 * @file Concatenations of several samples in a captured step: nothing is copied, forward and back, where the kernels around know where samples lie; and results
 * are those of eager steps, bit by bit.
 */
import { describe, expect, test } from "vitest";
import * as vx from "../../src/index.ts";
import { capture, concat, conv, convTranspose, grad, instanceNorm, mul, scope, sum, type Tensor } from "../../src/index.ts";
import { elideCopies } from "../../src/tensor/elide.ts";
import { type Command, TraceStream } from "../../src/tensor/trace.ts";
import { expectSameBits, readAll } from "../lib/compare.ts";
import { device as open } from "../lib/device.ts";
import { normal, seeded } from "../lib/row.ts";

const device = await open();

function tensor(name: string, shape: readonly number[]): Tensor {
  const random = seeded(name);
  return device.tensor({ data: Float32Array.from({ length: vx.sizeOf(shape) }, (_, i) => normal(random, i)), shape });
}

/** A small U: an encoder's level beside what is enlarged, joined and convolved. */
function network(half: boolean, mode: "instance" | "group" | "batch"): { fn: () => Record<string, Tensor>; free: () => void } {
  const w = {
    x: tensor("x", [2, 3, 32, 64]),
    first: tensor("a", [8, 3, 3, 3]),
    down: tensor("b", [16, 8, 3, 3]),
    up: tensor("c", [16, 8, 2, 2]),
    bias: tensor("d", [8]),
    last: tensor("e", [4, 16, 3, 3]),
  };
  const norm = (t: Tensor) =>
    mode === "instance" ? instanceNorm(t) : mode === "group" ? vx.groupNorm(t, 2) : vx.batchNorm(t, undefined, undefined);
  const same = { padding: 1 };
  for (const t of Object.values(w)) t.requiresGrad = true;
  const fn = () => {
    const y = vx.withPrecision(half ? "f16" : "f32", () => {
      const skip = norm(conv(w.x, w.first, undefined, same));
      const coarse = norm(conv(skip, w.down, undefined, { ...same, stride: 2 }));
      const joined = concat([skip, convTranspose(coarse, w.up, w.bias, { stride: 2 })], 1);
      return vx.float32(conv(norm(joined), w.last, undefined, same));
    });
    const gradients = grad(sum(mul(y, y)), Object.values(w));
    return { y, ...Object.fromEntries(gradients.map((g, i) => [`d${Object.keys(w)[i]}`, g])) };
  };
  return { fn, free: () => Object.values(w).forEach((t) => t.dispose()) };
}

/** Replays give the bits of the eager step. */
async function expectReplayed(fn: () => Record<string, Tensor>): Promise<void> {
  const eager = await readAll(scope(fn));
  const step = capture(device, fn);
  for (let i = 0; i < 2; i++) {
    const values = await readAll(step());
    for (const [name, list] of Object.entries(eager)) expectSameBits(name, values[name], list);
  }
  step.dispose();
}

function trace(fn: () => unknown): readonly Command[] {
  const stream = new TraceStream();
  const outer = device.stream;
  scope(() => {
    device.stream = stream;
    try {
      fn();
    } finally {
      device.stream = outer;
      stream.finish();
    }
  });
  return stream.commands;
}

describe.each([false, true])("f16: %s", (half) => {
  const skipped = half && !device.gpu.features.has("shader-f16");
  test.skipIf(skipped).each(["instance", "group", "batch"] as const)("%s norm", async (mode) => {
    const { fn, free } = network(half, mode);
    const commands = trace(fn);
    const copies = (list: readonly Command[]) => list.filter((c) => c.kind === "copy").length;
    expect(copies(commands)).toBe(4);
    expect(copies(elideCopies(commands, new Set(), true))).toBe(0);
    await expectReplayed(fn);
    free();
  });
});

test("what is joined to what was joined before: gradients are added up where they lie", async () => {
  const w = {
    x: tensor("x", [2, 8, 32, 64]),
    a: tensor("a", [8, 8, 3, 3]),
    b: tensor("b", [8, 16, 3, 3]),
    c: tensor("c", [4, 24, 1, 1]),
  };
  for (const t of Object.values(w)) t.requiresGrad = true;
  const fn = () => {
    const x = mul(w.x, w.x);
    const both = concat([x, conv(vx.batchNorm(x, undefined, undefined), w.a, undefined, { padding: 1 })], 1);
    const all = concat([both, conv(vx.batchNorm(both, undefined, undefined), w.b, undefined, { padding: 1 })], 1);
    const y = conv(vx.batchNorm(all, undefined, undefined), w.c);
    return Object.fromEntries(grad(sum(mul(y, y)), Object.values(w)).map((g, i) => [`d${Object.keys(w)[i]}`, g]));
  };
  const copies = (list: readonly Command[]) => list.filter((c) => c.kind === "copy").length;
  const commands = trace(fn);
  // The first input is multiplied by a kernel that knows nothing of samples: forward and back.
  expect([copies(commands), copies(elideCopies(commands, new Set(), true))]).toEqual([8, 2]);
  await expectReplayed(fn);
});
