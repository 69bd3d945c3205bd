/** @file Cases that were prepared by an earlier run are taken while their files, lists and preparation are what they were. */

import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, expect, test, vi } from "vitest";
import { folderItemStore } from "../../../src/data/datasets/folder_item_store.node.ts";
import type { Case } from "../../../src/data/folders/dataset_index.ts";
import { preparedStore } from "../../../src/seg/recipes/prepared.ts";
import type { Context, Recipe } from "../../../src/seg/recipes/recipe.ts";
import { temporaryFolder } from "../../lib/tiny.ts";

const { folder, remove } = temporaryFolder();
afterAll(remove);

test("an edited image, label or list is prepared anew", async () => {
  const [image, label] = [join(folder, "a.nii"), join(folder, "a_label.nii")];
  await writeFile(image, "image");
  await writeFile(label, "label");
  let made = 0;
  const make = async (source: Case, spacing = 1): Promise<number> => {
    const recipe = { name: "r", version: 1, preparation: () => ({ spacing }) } as unknown as Recipe;
    const context = { labels: [], channels: ["CT"] } as unknown as Context;
    const kept = preparedStore(recipe, context, folderItemStore(join(folder, "kept")))!;
    const item = { image: { data: Float32Array.of(1), shape: [1, 1, 1, 1] } };
    expect(await kept(source, () => (made++, Promise.resolve(item)))).toEqual(item);
    return made;
  };
  const source: Case = { id: "a/1", image: [image], label };
  expect([await make(source), await make(source)]).toEqual([1, 1]);
  expect([await make(source, 2), await make(source, 2)]).toEqual([2, 2]);
  await writeFile(image, "edited image");
  expect([await make(source), await make(source)]).toEqual([3, 3]);
  await writeFile(label, "edited label");
  expect([await make(source), await make(source)]).toEqual([4, 4]);
  expect(await make({ ...source, nodules: [{ center: [1, 2, 3], diameter: 4 }] })).toBe(5);
});

test("a disk that is full ends no training: a warning, and cases are prepared each time", async () => {
  const warn = vi.spyOn(console, "warn").mockReturnValue();
  const full = Object.assign(new Error("no space left on device"), { code: "ENOSPC" });
  const store = { read: async () => undefined, write: () => Promise.reject(full) };
  const recipe = { name: "r", version: 1, preparation: () => ({}) } as unknown as Recipe;
  const kept = preparedStore(recipe, { labels: [], channels: ["CT"] } as unknown as Context, store)!;
  const item = { image: { data: Float32Array.of(1), shape: [1, 1, 1, 1] } };
  for (const id of ["a", "b"]) expect(await kept({ id, image: [id] }, async () => item)).toBe(item);
  expect(warn.mock.calls).toEqual([[expect.stringMatching(/prepared cases: there is no room.*no space left/)]]);
  warn.mockRestore();
});
