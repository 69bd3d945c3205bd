/** @file What the row of dropout cannot say: the generator's words and how it moves on. */

import { expect, test } from "vitest";
import { dropout, scope } from "../../src/index.ts";
import { device } from "../lib/device.ts";
import { philox } from "../lib/philox.ts";

test("dropout/philox gives the published words", () => {
  // kat_vectors of Random123: philox4x32, 10 rounds.
  const hex = (list: number[]) => list.map((v) => v.toString(16).padStart(8, "0")).join(" ");
  const ones = 0xffffffff;
  expect(hex(philox([0, 0, 0, 0], [0, 0]))).toBe("6627e8d5 e169c58d bc57ac4c 9b00dbd8");
  expect(hex(philox([ones, ones, ones, ones], [ones, ones]))).toBe("408f276d 41c83b0e a20bc7c6 6d5451fd");
  const pi = [0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344, 0xa4093822, 0x299f31d0];
  expect(hex(philox(pi.slice(0, 4), pi.slice(4)))).toBe("d16cfe09 94fdcceb 5001e420 24126ea1");
});

test("dropout/each call takes the next draw, past 32 bits", async () => {
  const gpu = await device();
  const { generator, first, second } = scope(() => {
    const generator = gpu.tensor({ shape: [4], data: [7, 8, 0xffffffff, 1] }, "u32");
    const x = gpu.tensor({ shape: [4096], data: new Array<number>(4096).fill(1) });
    return { generator, first: dropout(x, generator, 0.25), second: dropout(x, generator, 0.25) };
  });
  expect([...(await generator.data())]).toEqual([7, 8, 1, 2]);
  const [a, b] = [await first.data(), await second.data()];
  const share = (list: ArrayLike<number>) => Array.from(list).filter((v) => v === 0).length / list.length;
  expect(share(a)).toBeCloseTo(0.25, 1);
  expect(share(b)).toBeCloseTo(0.25, 1);
  expect(a).not.toEqual(b);
  for (const t of [generator, first, second]) t.dispose();
});
