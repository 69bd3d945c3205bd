/** @file Folds of cross-validation: `splits_final.json` and the cases that it names. */

import { expectArguments, expectFields } from "../../host/kinds.ts";
import { failing } from "../../host/bytes/budget.ts";
import { recordField } from "../../host/bytes/json.ts";
import { ConfigError, DataError } from "../../host/errors.ts";
import type { Case, DatasetIndex, Split } from "./dataset_index.ts";

/**
 * Checks a parsed `splits_final.json`.
 * @throws FormatError if it is not a list of {train, val} id lists; DataError if a case is on both sides of a fold
 * @param source what errors call the file
 */
export function parseSplits(json: unknown, source = "splits_final.json"): Split[] {
  const fail = failing(`loadSplits: ${source}`);
  if (!Array.isArray(json) || json.length === 0) throw fail("the top level is not a list of folds");
  return json.map((entry, k) => {
    const fold = recordField(entry, `fold ${k}`, fail);
    const ids = (side: "train" | "val") => {
      const list = fold[side];
      if (Array.isArray(list) && list.every((id) => typeof id === "string")) return list as string[];
      throw fail(`fold ${k} has no list of case ids "${side}"`);
    };
    const split = { train: ids("train"), val: ids("val") };
    const train = new Set(split.train);
    const both = split.val.filter((id) => train.has(id));
    if (both.length)
      throw new DataError(
        `loadSplits: ${source}: fold ${k} has ${both.length} cases in both train and val ("${both[0]}"); scores on them would mean nothing`,
      );
    return split;
  });
}

/**
 * The cases of one fold. `fold` "all" trains and validates on everything, as nnU-Net's "all" does.
 * @throws ConfigError if there is no such fold; DataError if the fold names a case that the dataset does not have, or cases of one patient are on both
 * sides
 * @returns the cases to `train` on and those to validate on, `val`
 */
export function selectFold(index: DatasetIndex, splits: readonly Split[], fold: number | "all"): { train: Case[]; val: Case[] } {
  expectFields("selectFold", "index", index, { training: "objects" });
  expectArguments("selectFold", "objects", { splits });
  if (fold === "all") return { train: [...index.training], val: [...index.training] };
  const split = splits[fold];
  if (!split) throw new ConfigError(`selectFold: fold is ${fold}; the splits have folds 0 to ${splits.length - 1}`);
  const byId = new Map(index.training.map((c) => [c.id, c]));
  const pick = (ids: readonly string[]) =>
    ids.map((id) => {
      const found = byId.get(id);
      if (found) return found;
      throw new DataError(`selectFold: fold ${fold} names the case "${id}", which ${index.name || "the dataset"} does not have`);
    });
  const { train, val } = { train: pick(split.train), val: pick(split.val) };
  const trained = new Map(train.flatMap((c) => (c.patient === undefined ? [] : [[c.patient, c.id] as const])));
  const leak = val.find((c) => c.patient !== undefined && trained.has(c.patient));
  if (leak)
    throw new DataError(
      `selectFold: fold ${fold} trains on "${trained.get(leak.patient!)}" and validates on "${leak.id}", both of patient ${leak.patient}; scores on them would mean nothing`,
    );
  return { train, val };
}
