/** @file What `train` says of folds that it made. */

import { expect, test } from "vitest";
import { kFold } from "../../../src/data/index.ts";
import { foldNotes } from "../../../src/seg/run/fold_notes.ts";

const cases = (...ids: string[]) => ids.map((id) => ({ id, image: [id], label: id }));
const warnings = (...ids: string[]) => foldNotes("data", cases(...ids)).slice(1);

test("warns of slices of a patient that lie in several folds", () => {
  const [text, ...more] = warnings("p0_08", "p0_11", "p1_08", "p1_11");
  expect(text).toMatch(
    /^warning: p0_08 and p0_11 count as two patients: .* name them p0_slice08 or p0_scan…, or write splits_final.json$/,
  );
  expect(more).toEqual([]);
  // As it says, these are of one patient.
  const [{ val }] = kFold(["p0_slice08", "p0_slice11", "p1_slice08", "p1_slice11"], { folds: 2 });
  expect(new Set(val.map((id) => id.slice(0, 2))).size).toBe(1);
});

test("does not of names that only count cases, nor of patients that are known", () => {
  expect(warnings("hippocampus_001", "hippocampus_003", "hippocampus_004")).toEqual([]);
  expect(warnings("site_a_1", "p2", "p3", "p4_1")).toEqual([]);
  expect(warnings("p0_slice08", "p0_slice11", "p1_slice08", "p1_slice11")).toEqual([]);
  expect(
    foldNotes(
      "data",
      cases("p0_1", "p0_2", "p1_1", "p1_2").map((c) => ({ ...c, patient: c.id.slice(0, 2) })),
    ).length,
  ).toBe(1);
});
