/** @file Where the time of a training went, and the version that results are kept with. */

import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { version } from "../../../src/host/version.ts";
import { speedLine, speedOf, validationsLeft } from "../../../src/seg/run/pace.ts";

const epoch = (n: number, more: object) => ({ epoch: n, loss: 1, lr: 0.1, seconds: 10, ...more });

test("speed is that of all timed epochs; epochs of before have no times", () => {
  const before = epoch(1, { seconds: 100 });
  expect(speedOf([before])).toBeUndefined();
  const speed = speedOf([
    before,
    epoch(2, { timing: { samples: 30, training: 6, waiting: 1, validation: 4 }, dice: [0.5] }),
    epoch(3, { timing: { samples: 50, training: 10, waiting: 3, validation: 0 } }),
  ])!;
  expect(speed).toEqual({ secondsPerEpoch: 10, samplesPerSecond: 5, validation: 4, waiting: 0.25 });
  expect(speedLine(speed)).toBe("5.0 samples/s, 10.0 s per epoch, 4.0 s per validation, 25 % of training waiting for data");
});

test("the time left has the validations that are still to come, the one after the last epoch too", () => {
  const before = [
    epoch(2, { timing: { samples: 30, training: 6, waiting: 1, validation: 4 }, dice: [0.5] }),
    epoch(3, { timing: { samples: 50, training: 10, waiting: 3, validation: 0 } }),
  ];
  // After epochs 4, 6 and 7.
  expect(validationsLeft(before, { epochs: 7, validateEvery: 2 }, 3)).toBe(12);
  expect(validationsLeft(before, { epochs: 7, validateEvery: 2 }, 6)).toBe(4);
  expect(validationsLeft(before, { epochs: 4, validateEvery: 1 }, 3)).toBe(4);
  expect(validationsLeft([], { epochs: 4, validateEvery: 1 }, 0)).toBe(0);
});

test("the version is the package's", () => {
  const file = JSON.parse(readFileSync(new URL("../../../package.json", import.meta.url), "utf8")) as { version: string };
  expect(version).toBe(file.version);
});
