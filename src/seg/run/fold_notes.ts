/** @file What to say of folds that were made, since a dataset came without. */

import type { Case } from "../../data/folders/dataset_index.ts";
import { patientOf } from "../../data/folders/k_fold.ts";

/** The name before a number at its end. */
const before = (id: string): string => id.replace(/[_-]\d+$/, "");

/**
 * That folds were made, and of which cases nobody could see whether they are of one patient: several of one name, and more than one such name, with nothing
 * but a number behind it, as slices are saved.
 * @param root folder of the dataset
 */
export function foldNotes(root: string, cases: readonly Case[]): string[] {
  const made = `${root} has no splits_final.json: five folds by patient, as nnU-Net makes them; --fold all takes every case`;
  const alone = cases.filter(({ id, patient }) => patient === undefined && patientOf(id) === id && before(id) !== id);
  const names = Map.groupBy(alone, ({ id }) => before(id));
  const [most] = [...names.values()].sort((a, b) => b.length - a.length);
  if (names.size < 2 || alone.length < 2 * names.size) return [made];
  const [a, b] = most.map((c) => c.id);
  return [
    made,
    `warning: ${a} and ${b} count as two patients: if they are slices or scans of one, scores will be too good; name them ${before(a)}_slice${a.slice(before(a).length + 1)} or ${before(a)}_scan…, or write splits_final.json`,
  ];
}
