/** @file Three hundred random programs with changes in place between forward and gradient: right or an error, never wrong. */

import * as fc from "fast-check";
import { expect, test } from "vitest";
import { device } from "../lib/device.ts";
import { checkProgram, programs } from "./in_place.ts";

test("300 random programs with steps in place between forward and gradient: right or an error", async () => {
  const gpu = await device();
  const met = { right: 0, refused: 0 };
  await fc.assert(
    fc.asyncProperty(programs, async (p) => void met[await checkProgram(gpu, p)]++),
    { seed: 20, numRuns: 300 },
  );
  expect(met.right).toBeGreaterThan(60);
  expect(met.refused).toBeGreaterThan(60);
});
