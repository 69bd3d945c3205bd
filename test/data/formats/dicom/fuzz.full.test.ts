/** @file Many damaged DICOM files are read or refused by typed errors. */

import { expect, test } from "vitest";
import { fuzzDicom } from "./fuzz.ts";

test("40,000 damaged files: typed errors only", { timeout: 600_000 }, async () => {
  expect(await fuzzDicom(40_000, 2)).toBeGreaterThan(10_000);
});
