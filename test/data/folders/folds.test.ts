/** @file Folds of a dataset: which cases they take, and lists of them that are refused. */

import { describe, expect, test } from "vitest";
import { parseDataset } from "../../../src/data/folders/decathlon.ts";
import { parseSplits, selectFold } from "../../../src/data/folders/splits.ts";
import { ConfigError, DataError, FormatError } from "../../../src/host/errors.ts";

describe("folds", () => {
  const index = parseDataset(
    {
      modality: { "0": "MRI" },
      labels: { "0": "background", "1": "front" },
      training: ["a", "b", "c"].map((id) => ({ image: `i/${id}.nii.gz`, label: `l/${id}.nii.gz` })),
    },
    { has: () => true, list: () => [] },
  );
  test("selects by id", () => {
    const splits = parseSplits([{ train: ["a", "b"], val: ["c"] }]);
    const { train, val } = selectFold(index, splits, 0);
    expect([train.map((c) => c.id), val.map((c) => c.id)]).toEqual([["a", "b"], ["c"]]);
    expect(selectFold(index, splits, "all").val).toHaveLength(3);
    expect(() => selectFold(index, splits, 1)).toThrow(ConfigError);
    expect(() => selectFold(index, [{ train: ["a", "z"], val: [] }], 0)).toThrow(/"z"/);
  });
  test("refuses damaged or leaking splits", () => {
    expect(() => parseSplits({})).toThrow(FormatError);
    expect(() => parseSplits([{ train: ["a"] }])).toThrow(/fold 0 has no list of case ids "val"/);
    expect(() => parseSplits([{ train: ["a", "b"], val: ["b"] }])).toThrow(DataError);
  });
});
