/** @file KSpaceSpikeNoise keeps the image's element type, as MONAI does. */
import { expect, test } from "vitest";
import { KSpaceSpikeNoise } from "../../../src/data/transforms/index.ts";

test("a spike in an integer image gives integers, cut towards zero", () => {
  const shape = [1, 4, 4];
  const values = Array.from({ length: 16 }, (_, i) => (i * 7) % 11);
  const spike = new KSpaceSpikeNoise({ loc: [0, 2, 1], kIntensity: 3 });
  const exact = spike.apply({ data: Float32Array.from(values), shape });
  const whole = spike.apply({ data: Int32Array.from(values), shape });
  expect([...exact.data].some((v) => v % 1 !== 0)).toBe(true);
  expect(whole.data).toEqual(Int32Array.from(exact.data, Math.trunc));
});
