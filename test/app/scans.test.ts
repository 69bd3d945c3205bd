/** @file What is picked on the page: hidden images are left out with a word, as commands leave them out. */

import { expect, test } from "vitest";
import type { PickedFile } from "../../app/protocol.ts";
import { zhErrors } from "../../app/text/zh_errors.ts";
import { addScans } from "../../app/worker/scans.ts";

const picked = (...paths: string[]): PickedFile[] => paths.map((path) => ({ path, file: new File([new Uint8Array(9)], path) }));
const rows = async (...paths: string[]) =>
  (await addScans(picked(...paths), () => undefined)).map(({ name, problems }) => [name, ...problems]);

test("hidden images are told of beside the first image that is shown", async () => {
  expect(await rows("a/1.nii", "a/2.nii", "a/._1.nii", "a/.DS_Store", ".git/3.nii", "__MACOSX/1.nii")).toEqual([["1"], ["2"]]);
  const said = "a/.3.nii is hidden and left out; a name without the dot in front has it read";
  expect(await rows("a/1.nii", "a/2.nii", "a/.3.nii")).toEqual([["1", said], ["2"]]);
  const both = "a/.3.nii and 1 more hidden images are left out; a name without the dot in front has it read";
  expect(await rows("a/2.nii", "a/.3.nii", ".4.mha")).toEqual([["2", both]]);
  // Picked again, a row is as it was.
  expect(await rows("a/2.nii")).toEqual([["2"]]);
  await expect(rows("a/.3.nii")).rejects.toThrow(said);
  await expect(rows("a/.DS_Store")).rejects.toThrow("a/.DS_Store is no image");
  for (const text of [said, both]) expect(zhErrors.find(([pattern]) => pattern.test(text))?.[1]).toContain("隐藏");
});
