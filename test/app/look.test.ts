/** @file Two folders of label maps: what is compared with what, and that what cannot be compared is said and never scored. */

import { expect, test } from "vitest";
import { compareFolders } from "../../app/worker/look.ts";
import type { PickedFile } from "../../app/protocol.ts";
import { makeVolume, writeNifti } from "../../src/data/index.ts";

/** A label map whose left third has the value 1, `shift` mm to the right of where it belongs. */
async function map(path: string, shift = 0, flip = false): Promise<PickedFile> {
  const data = Uint8Array.from({ length: 9 ** 3 }, (_, i) => (i < 3 * 81 ? 1 : 0));
  const affine = [
    [flip ? -2 : 2, 0, 0, shift + (flip ? 16 : 0)],
    [0, 2, 0, 5],
    [0, 0, 2, 7],
    [0, 0, 0, 1],
  ];
  return {
    path,
    file: new Blob([await writeNifti(makeVolume({ data, shape: [1, 9, 9, 9] }, affine))]),
  };
}

const context = { signal: new AbortController().signal, tell: () => undefined };
const compare = (truth: readonly PickedFile[], prediction: readonly PickedFile[]) =>
  compareFolders({ truth, prediction, images: [] }, context);

test("what one of the folders lacks is said", async () => {
  const names = ["a", "b", "c", "d", "e", "f", "g"];
  const truth = await Promise.all(names.map((name) => map(`truth/${name}.nii`)));
  const prediction = await Promise.all([map("pred/a.nii"), map("pred/h.nii")]);
  const { cases, failed } = await compare(truth, prediction);
  expect(cases.map(({ id, mean }) => [id, mean])).toEqual([["a", 1]]);
  expect(failed).toEqual([
    { id: "b, c, d, e, f … (6)", reason: "no prediction has this name" },
    { id: "h", reason: "no truth has this name" },
  ]);
});

test("two files of one name are refused: none of them is taken by chance", async () => {
  const truth = await Promise.all([map("task/imagesTr/a_0000.nii"), map("task/labelsTr/a.nii")]);
  await expect(compare(truth, [await map("pred/a.nii")])).rejects.toThrow(
    "task/imagesTr/a_0000.nii and task/labelsTr/a.nii have one name; choose a folder with one image of each case",
  );
});

test("a prediction that lies elsewhere, as its header says, gets no Dice; half a voxel is as headers are rounded", async () => {
  const truth = await Promise.all(["near", "far", "turned"].map((name) => map(`truth/${name}.nii`)));
  const prediction = await Promise.all([map("pred/near.nii", 0.9), map("pred/far.nii", 4), map("pred/turned.nii", 0, true)]);
  const { cases, failed } = await compare(truth, prediction);
  expect(cases.map(({ id }) => id)).toEqual(["near"]);
  expect(failed.map(({ id, reason }) => `${id}: ${reason}`)).toEqual([
    "far: the prediction lies up to 4.00 mm from the truth, as their headers say; bring both on one grid",
    "turned: the prediction lies up to 16.0 mm from the truth, as their headers say; bring both on one grid",
  ]);
});
