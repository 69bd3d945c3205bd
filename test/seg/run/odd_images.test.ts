/** @file What `configure` says of images that can teach nothing, or that are there twice. */

import { expect, test } from "vitest";
import { configure, type LoadedCase, type Segmentation, slices2d } from "../../../src/seg/index.ts";
import { type Case, makeVolume, type Volume } from "../../../src/data/index.ts";
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

/** What `configure` says of the tiny dataset, with the cases changed. */
async function notesOf(
  change: (found: LoadedCase) => Partial<LoadedCase>,
  { data = memoryData(), recipe = slices2d, given = tinyRun as object } = {},
): Promise<string[]> {
  const notes: string[] = [];
  const read = async (item: Case): Promise<LoadedCase> => {
    const found = await data.read(item);
    return { ...found, ...change(found) };
  };
  await configure(recipe, { ...data, read }, { data: "memory", ...given }, { log: (text) => notes.push(text) });
  return notes;
}

test("tells of what was odd about labels that were drawn, and not of the files of others", async () => {
  const note = 'there is no structure "liver": no voxel has its value';
  const told = ({ id, label }: LoadedCase) =>
    id === "case1" || id === "case4" ? { label: { ...label!, meta: { ...label!.meta, notes: [note] } } } : {};
  expect(await notesOf(told)).toEqual([]);
  const data = memoryData();
  const drawn = { structures: [{ names: ["liver"], value: 1 }] };
  const cases = (list: readonly Case[]) => list.map((item) => ({ ...item, drawn }));
  expect(await notesOf(told, { data: { ...data, train: cases(data.train), val: cases(data.val) } })).toEqual([
    `warning: labels of case1, case4: ${note}`,
  ]);
});

const scaled = (v: Volume, factor: number): Volume =>
  makeVolume(
    v,
    v.affine.map((row) => row.map((x, column) => (column === 3 ? x : x * factor))),
  );

test("tells of voxels of another resolution, unless the recipe resamples or resizes slices", async () => {
  const given = { ...tinyRun, fit: "crop" };
  const coarse = ({ id, image, label }: LoadedCase) =>
    id === "case2" ? { image: scaled(image, 3), label: scaled(label!, 3) } : {};
  expect(await notesOf(coarse)).toEqual([]);
  expect(await notesOf(coarse, { given })).toEqual([
    "warning: voxels of another size than the median [1,1,1] mm: case2 [3,3,3]; this recipe does not resample: resample them, or take the recipe nnunet",
  ]);
  const resampling = { ...slices2d, postprocess: (found: Segmentation) => found };
  expect(await notesOf(coarse, { recipe: resampling, given })).toEqual([]);
  expect(await notesOf(({ id, image }) => (id === "case2" ? { image: scaled(image, 1.5) } : {}), { given })).toEqual([]);
});

test("tells of a CT that was stored without a sign", async () => {
  const ct =
    (offset: number) =>
    ({ id, image }: LoadedCase) => ({
      image: { ...image, data: image.data.map((v) => Math.round(v * 1000) - 1000 + (id === "case1" ? offset : 0)) },
    });
  expect(await notesOf(ct(1024))).toEqual([
    "warning: images without a negative value, where most reach below -500 as CT in HU does: case1; their zero may be another",
  ]);
  expect(await notesOf(ct(0))).toEqual([]);
});

test("tells of classes that no case trains or validates", async () => {
  const data = () => memoryData({ background: 0, ball: 1, other: 2, never: 3 }, 2);
  const given = { ...tinyRun, allowEmpty: true };
  const without =
    (value: number, ids: string) =>
    ({ id, label }: LoadedCase) => ({
      label: ids.includes(id) ? { ...label!, data: label!.data.map((v) => (v === value ? 0 : v)) } : label,
    });
  expect(await notesOf(without(2, "case0 case1 case2 case3"), { data: data(), given })).toEqual([
    "warning: no training case has a voxel of other, never: it cannot be learned",
  ]);
  expect(await notesOf(without(1, "case4 case5"), { data: data(), given })).toEqual([
    "warning: no training case has a voxel of never: it cannot be learned",
    "warning: no validation case has a voxel of ball: nothing will score it",
  ]);
});
