/** @file Folds made here: nnU-Net's for cases that are patients, no patient on both sides, the same whatever the order of the ids. */

import { expect, test } from "vitest";
import { kFold, patientOf } from "../../../src/data/folders/k_fold.ts";
import { ConfigError } from "../../../src/host/errors.ts";

const ids = Array.from({ length: 23 }, (_, i) => `case_${String(i).padStart(3, "0")}`);

test("equals nnU-Net's split of 23 cases", () => {
  // sklearn KFold(5, shuffle=True, random_state=12345)
  const expected = ["3 8 10 17 19", "0 7 12 15 16", "6 11 14 18 20", "9 13 21 22", "1 2 4 5"];
  const found = kFold(ids.toReversed()).map(({ val }) => val.map((id) => Number(id.slice(5))).join(" "));
  expect(found).toEqual(expected);
  for (const { train, val } of kFold(ids)) expect([...train, ...val].sort()).toEqual(ids);
});

test("keeps the scans of a patient together", () => {
  const scans = Array.from({ length: 10 }, (_, i) => [`patient${i}_frame01`, `patient${i}_frame12`]).flat();
  const splits = kFold(scans);
  expect(splits.flatMap((s) => s.val).sort()).toEqual([...scans].sort());
  for (const { train, val } of splits) {
    const learned = new Set(train.map(patientOf));
    expect(val.filter((id) => learned.has(patientOf(id)))).toEqual([]);
    expect(val).toHaveLength(4);
  }
});

test("too few patients are refused", () => {
  expect(() => kFold(["a_frame1", "a_frame2", "b", "c", "d", "e"].slice(0, 5))).toThrow(ConfigError);
});
