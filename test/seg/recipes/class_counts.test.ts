/** @file What recipes count of f16 logits is what they count of f32 ones: classes, regions, and with voxels that do not count. */

import { describe, expect, test } from "vitest";
import { cast } from "../../../src/autograd/cast.ts";
import { lossOfLevels, countsOfLevels } from "../../../src/seg/recipes/nnunet/training.ts";
import { classCounts } from "../../../src/seg/recipes/class_counts.ts";
import { outputCodingOf } from "../../../src/seg/post/output_coding.ts";
import { device } from "../../lib/device.ts";

const dev = await device();
const one = { name: "one", values: [1] };
const background = { name: "background", values: [0] };
const ignore = { name: "ignore", values: [3], ignore: true as const };
const logits = [3, -1, 0.5, 2, -2, 1, 0.25, 4, -3, 0, 1, -4]; // [1, 3, 4]
const indices = (values: readonly number[]) => dev.tensor({ data: Int32Array.from(values), shape: [1, 1, values.length] }, "i32");

describe.runIf(dev.gpu.features.has("shader-f16"))("of f16", () => {
  test("classes, and those of nnU-Net with an index that is ignored", async () => {
    const label = indices([0, 2, 1, 1]);
    const output = dev.tensor({ data: logits, shape: [1, 3, 4] });
    const half = cast(output, "f16");
    const counts = [...(await classCounts(output, label).data())];
    expect(counts).toEqual([1, 1, 0, 1, 2, 1, 1, 2, 1]);
    expect([...(await classCounts(half, label).data())]).toEqual(counts);
    const coding = outputCodingOf("softmax", [background, one, { name: "two", values: [2] }, ignore]);
    const batch = { image: output, label: indices([0, 3, 1, 3]) };
    const wanted = [...(await countsOfLevels(output, batch, coding).data())];
    expect([...(await countsOfLevels([half], batch, coding).data())]).toEqual(wanted);
  });

  test.each([[[]], [[ignore]]])("regions, and their loss is finite: %j", async (more) => {
    const whole = { name: "whole", values: [1, 2] };
    const coding = outputCodingOf("regions", [
      background,
      whole,
      { name: "two", values: [2] },
      { name: "rim", values: [1] },
      ...more,
    ]);
    const output = dev.tensor({ data: logits, shape: [1, 3, 2, 2] });
    const masks = [1, 1, 0, 0, 0, 1, 0, 0, 1, 0, 0, 0, ...(more.length > 0 ? [0, 0, 1, 0] : [])];
    const batch = { image: output, label: dev.tensor({ data: masks, shape: [1, 3 + more.length, 2, 2] }) };
    const wanted = [...(await countsOfLevels(output, batch, coding).data())];
    const half = cast(output, "f16");
    expect([...(await countsOfLevels(half, batch, coding).data())]).toEqual(wanted);
    const options = { outputs: coding, batchDice: false };
    const loss = await lossOfLevels(output, batch, options).item();
    expect(await lossOfLevels(half, batch, options).item()).toBeCloseTo(loss, 2);
  });
});
