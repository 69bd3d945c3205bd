/** @file Synthetic images; their bits are pinned by the cases in transforms.test.ts. */
import { describe, expect, test } from "vitest";
import { RandomState } from "../../src/host/random/numpy.ts";
import { createTestImage2d, createTestImage3d } from "../../src/data/synthetic.ts";

describe("createTestImage", () => {
  test("gives an image in [0, 1] and its label map, channel where asked", () => {
    const { image, label } = createTestImage3d(21, 22, 23, {
      radMax: 8,
      numSegClasses: 3,
      channelDim: -1,
      randomState: new RandomState(0),
    });
    expect(image.shape).toEqual([21, 22, 23, 1]);
    expect(label.shape).toEqual(image.shape);
    expect([Math.min(...image.data), Math.max(...image.data)]).toEqual([0, 1]);
    expect(label.data.every((c) => [0, 1, 2, 3].includes(c))).toBe(true);
    expect(image.data.every((v, i) => v > 0 === label.data[i] > 0)).toBe(true);
  });

  test("draws as many numbers with noise as without", () => {
    const [a, b] = [new RandomState(1), new RandomState(1)];
    createTestImage2d(20, 20, { radMax: 6, randomState: a });
    createTestImage2d(20, 20, { radMax: 6, noiseMax: 0.5, randomState: b });
    expect(a.rand()).toBe(b.rand());
  });

  test("without objects the image is 0", () => {
    expect(Math.max(...createTestImage2d(12, 12, { numObjs: 0, radMax: 5, radMin: 1 }).image.data)).toBe(0);
  });

  test.each([
    [{ radMax: 10 }, /above 2 \* radMax = 20, got 20 x 30/],
    [{ radMax: 5, radMin: 5 }, /radMin < radMax, got radMin 5, radMax 5/],
    [{ radMax: 8, channelDim: 1 }, /channelDim must be 0, -1, 2 or undefined, got 1/],
  ])("refuses %o", (options, message) => expect(() => createTestImage2d(20, 30, options)).toThrow(message));
});
