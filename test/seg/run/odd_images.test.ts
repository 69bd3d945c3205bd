/** @file What `configure` says of images that can teach nothing, or that are there twice. */

import { expect, test } from "vitest";
import { configure, type LoadedCase, slices2d } from "../../../src/seg/index.ts";
import type { Case } from "../../../src/data/index.ts";
import { memoryData, tinyRun } from "../../lib/memory_data.ts";

test("tells of images of one value, and of one that trains and validates", async () => {
  const data = memoryData();
  const odd = async (item: Case): Promise<LoadedCase> => {
    const found = await data.read(item.id === "case5" ? { ...item, id: "case2" } : item);
    const image = item.id === "case1" ? { ...found.image, data: found.image.data.map(() => 3) } : found.image;
    return { ...found, id: item.id, image };
  };
  const notes: string[] = [];
  const log = (text: string) => notes.push(text);
  await configure(slices2d, { ...data, read: odd }, { data: "memory", ...tinyRun }, { log });
  expect(notes).toEqual([
    "warning: 1 image of one value, at least in a channel: case1",
    "warning: cases with the same image: case2, case5; case5 validates what case2 trains, so that scores will be too good",
  ]);
  notes.length = 0;
  await configure(slices2d, data, { data: "memory", ...tinyRun }, { log });
  expect(notes).toEqual([]);
});
