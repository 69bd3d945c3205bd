/** @file Damaged DICOM files are read or refused by typed errors; many more of them in the full tier. */

import { expect, test } from "vitest";
import { fuzzDicom } from "./fuzz.ts";

test("600 damaged files: typed errors only", async () => {
  expect(await fuzzDicom(600, 1)).toBeGreaterThan(100);
});
