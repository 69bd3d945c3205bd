/** @file How many epochs recipes choose for few and for many cases. */

import { expect, test } from "vitest";
import { enoughSteps } from "../../../src/seg/recipes/enough_steps.ts";

const many = { epochs: 10, batchSize: 16, samplesPerVolume: 16 };

test("few cases get as many steps as some dozens, many their epochs", () => {
  expect(enoughSteps(8, many, {})).toEqual({ epochs: 63, validateEvery: 6 });
  expect(enoughSteps(208, many, {})).toEqual({ epochs: 10, validateEvery: 5 });
  expect(enoughSteps(50, many, {})).toEqual({ epochs: 10, validateEvery: 5 });
  expect(enoughSteps(1, many, {})).toEqual({ epochs: 500, validateEvery: 50 });
});

test("counts with the samples that the user has chosen", () => {
  expect(enoughSteps(8, many, { samplesPerVolume: 32 }).epochs).toBe(32);
  expect(enoughSteps(8, many, { batchSize: 4 }).epochs).toBe(16);
});

test("validates about ten times in the epochs that the user has chosen", () => {
  expect(enoughSteps(1, many, { epochs: 20 })).toEqual({ epochs: 20, validateEvery: 5 });
  expect(enoughSteps(208, many, { epochs: 200 }).validateEvery).toBe(20);
});
