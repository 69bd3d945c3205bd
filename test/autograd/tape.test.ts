/** @file How gradients flow through a graph: inputs used twice, broadcasts of one tensor, gradients of intermediates, errors of `grad`. */

import { describe, expect, test } from "vitest";
import {
  add,
  affine,
  concat,
  ConfigError,
  detach,
  grad,
  mul,
  noGrad,
  reshape,
  scope,
  ShapeError,
  square,
  sub,
  sum,
  type Tensor,
} from "../../src/index.ts";
import { readAll } from "../lib/compare.ts";
import { device } from "../lib/device.ts";

/** Values of the gradients of `loss(a, b)` for a = [1, 2, 3], b = [4, 5, 6], and whether any buffer is left. */
async function gradients(wanted: (a: Tensor, b: Tensor) => [loss: Tensor, wrt: readonly Tensor[]]): Promise<number[][]> {
  const gpu = await device();
  const before = gpu.memory.buffers;
  const results = scope(() => {
    const a = gpu.tensor({ shape: [3], data: [1, 2, 3] });
    const b = gpu.tensor({ shape: [3], data: [4, 5, 6] });
    a.requiresGrad = true;
    b.requiresGrad = true;
    const [loss, wrt] = wanted(a, b);
    return Object.fromEntries(grad(loss, wrt).map((g, i) => [i, g]));
  });
  const values = Object.values(await readAll(results));
  for (const t of Object.values(results)) t.dispose();
  await gpu.settle();
  expect(gpu.memory.buffers).toBeLessThanOrEqual(before);
  return values.map((v) => [...v]);
}

describe("tape", () => {
  test("tape/an input used twice", async () => {
    expect(await gradients((a) => [sum(mul(a, a)), [a]])).toEqual([[2, 4, 6]]);
    expect(await gradients((a) => [sum(add(a, a)), [a]])).toEqual([[2, 2, 2]]);
    expect(await gradients((a) => [sum(sub(a, a)), [a]])).toEqual([[0, 0, 0]]);
    expect(await gradients((a) => [sum(concat([a, a, square(a)], 0)), [a]])).toEqual([[4, 6, 8]]);
  });

  test("tape/a diamond", async () => {
    // (a + b)·(a − b) = a² − b²
    expect(await gradients((a, b) => [sum(mul(add(a, b), sub(a, b))), [a, b]])).toEqual([
      [2, 4, 6],
      [-8, -10, -12],
    ]);
  });

  test("tape/a sum feeds three others", async () => {
    const [a, b] = await gradients((a, b) => {
      const s = add(a, b);
      return [sum(add(add(s, affine(s, 2)), mul(s, s))), [a, b]];
    });
    expect(a).toEqual([13, 17, 21]);
    expect(b).toEqual(a);
  });

  test("tape/the gradient of an intermediate and of its inputs", async () => {
    const all = await gradients((a, b) => {
      const s = add(a, b);
      return [sum(square(s)), [s, a, b]];
    });
    expect(all).toEqual([
      [10, 14, 18],
      [10, 14, 18],
      [10, 14, 18],
    ]);
  });

  test("tape/the gradient of a reshaped intermediate", async () => {
    const all = await gradients((a) => {
      const r = reshape(a, [3, 1]);
      return [sum(square(r)), [r, a]];
    });
    expect(all).toEqual([
      [2, 4, 6],
      [2, 4, 6],
    ]);
  });

  test("tape/one tensor broadcast against itself", async () => {
    // Σ aᵢ aⱼ = (Σ a)², slope 2 Σ a
    expect(await gradients((a) => [sum(mul(reshape(a, [3, 1]), a)), [a]])).toEqual([[12, 12, 12]]);
  });

  test("tape/the loss itself", async () => {
    expect(await gradients((a) => [reshape(sum(a), [1]), [a]])).toEqual([[1, 1, 1]]);
    expect(
      await gradients((a) => {
        const loss = sum(a);
        return [loss, [loss, a]];
      }),
    ).toEqual([[1], [1, 1, 1]]);
  });

  test("tape/the same tensor asked for twice", async () => {
    expect(await gradients((a) => [sum(square(a)), [a, a]])).toEqual([
      [2, 4, 6],
      [2, 4, 6],
    ]);
  });

  test("tape/a value on the way that was disposed", async () => {
    // Neither a sum nor an addition reads it, so that without an error the gradient would be that of the other part alone.
    const message = /^grad: the loss was computed from a tensor \[3\] that has been disposed since/;
    const inScope = gradients((a) => [
      add(
        scope(() => sum(affine(square(a), 2))),
        sum(a),
      ),
      [a],
    ]);
    await expect(inScope).rejects.toThrow(message);
    await expect(inScope).rejects.toThrow(ConfigError);
    const byHand = gradients((a, b) => {
      const s = affine(a, 2);
      const loss = add(sum(add(s, b)), sum(a));
      s.dispose();
      return [loss, [a]];
    });
    await expect(byHand).rejects.toThrow(message);
    // What came before the tensor that is asked for may go, and what no gradient flows to.
    const earlier = gradients((a) => {
      const s = affine(a, 2);
      const r = affine(s, 3);
      s.dispose();
      return [sum(affine(r, 5)), [r]];
    });
    expect(await earlier).toEqual([[5, 5, 5]]);
    const detached = gradients((a) => {
      const s = detach(affine(a, 2));
      const loss = add(sum(s), sum(a));
      s.dispose();
      return [loss, [a]];
    });
    expect(await detached).toEqual([[1, 1, 1]]);
  });

  test("tape/errors", async () => {
    await expect(gradients((a) => [a, [a]])).rejects.toThrow(ShapeError);
    await expect(gradients((a) => [a, [a]])).rejects.toThrow(/^grad: the loss must be one element, got shape \[3\]/);
    await expect(gradients((a, b) => [sum(a), [b]])).rejects.toThrow(ConfigError);
    await expect(gradients((a) => [noGrad(() => sum(a)), [a]])).rejects.toThrow(/^grad: the loss does not depend on tensor 0/);
  });
});
