/** @file Which intensities recipes choose for data, and what becomes of them. */

import { expect, test } from "vitest";
import { type Case, makeVolume } from "../../../src/data/index.ts";
import { configure, type LoadedCase, patches3d, type RunConfig, slices2d } from "../../../src/seg/index.ts";
import { type IntensityOptions, intensityOptions, normalized } from "../../../src/seg/recipes/intensities.ts";
import { memoryData } from "../../lib/memory_data.ts";

/** The tiny dataset with `change` of each voxel; labels are those of the balls, whose voxels are above 0. */
function changed(change: (value: number, i: number) => number, channels: readonly string[] = ["scan"]) {
  const data = memoryData();
  const read = async (item: Case): Promise<LoadedCase> => {
    const { image, ...rest } = await data.read(item);
    const voxels = image.data.length;
    const values = Float32Array.from({ length: voxels * channels.length }, (_, i) => change(image.data[i % voxels], i));
    return { ...rest, image: makeVolume({ data: values, shape: [channels.length, ...image.shape.slice(1)] }, image.affine) };
  };
  return { ...data, index: { ...data.index, modality: channels }, read };
}

async function chosen(data: ReturnType<typeof changed>, given: object = {}, recipe: object = slices2d) {
  const notes: string[] = [];
  const log = (text: string) => notes.push(text);
  const { config } = await configure(recipe as typeof slices2d, data, { data: "memory", ...given }, { log });
  const { window = [], normalize } = config as RunConfig<IntensityOptions>;
  return { window, normalize, notes };
}

// Balls of 40 to 90 HU in air, as far as they have no noise.
const hounsfield = (v: number): number => (v > 0.4 ? 40 + 50 * v : -1000);

test.each([
  ["slices2d", slices2d],
  ["patches3d", patches3d],
])("%s takes the window of what is labeled of CT", async (_, recipe) => {
  const { window, normalize, notes } = await chosen(changed(hounsfield), {}, recipe);
  expect(window.length).toBe(2);
  expect(window[1]).toBeGreaterThan(60);
  expect(window[1]).toBeLessThanOrEqual(105);
  expect(normalize).toBe("scale");
  expect(notes.at(-1)).toMatch(
    /^intensities are taken for Hounsfield units \(below -500\).* the option window has others, or none$/,
  );
});

test("takes channels named CT for CT, whatever they reach to", async () => {
  const { window, notes } = await chosen(changed((v) => 1000 * v, ["CT"]));
  expect(window.length).toBe(2);
  expect(notes.at(-1)).toContain("the channel is named CT");
});

test("takes no window of channels that are named otherwise, as phases of MR are", async () => {
  for (const name of ["MR", "T1w", "phase"])
    expect(await chosen(changed(hounsfield, [name]))).toEqual({ window: [], normalize: "zscore", notes: [] });
});

test("scales a window that the user has chosen as one that was found", async () => {
  const given = await chosen(changed(hounsfield), { window: [-50, 150] });
  expect(given).toEqual({ window: [-50, 150], normalize: "scale", notes: [] });
});

test("takes what is named CT and scaled before as it is", async () => {
  // Balls around 1.2.
  const { window } = await chosen(changed((v) => (v > 0.4 ? 0.2 + 1.4 * v : 0), ["CT"]));
  expect(window).toEqual([0, 2]);
});

test("takes time steps by the dozen for channels", async () => {
  const names = Array.from({ length: 400 }, (_, i) => `CT ${i}`);
  expect((await chosen(changed(hounsfield, names))).window).toHaveLength(2);
});

test("leaves other images, and what the user has chosen", async () => {
  expect(await chosen(changed((v) => 300 * v))).toEqual({ window: [], normalize: "zscore", notes: [] });
  expect(await chosen(changed(hounsfield), { window: [] })).toEqual({ window: [], normalize: "zscore", notes: [] });
  const given = await chosen(changed(hounsfield), { window: [-50, 150], normalize: "zscore" });
  expect(given).toEqual({ window: [-50, 150], normalize: "zscore", notes: [] });
});

test("takes each of several channels by itself", async () => {
  const apart = (v: number, i: number): number => (i < 16 ** 3 ? v : 5000 * v);
  expect((await chosen(changed(apart, ["T1", "T2"]))).normalize).toBe("channels");
});

test("refuses windows that are none", async () => {
  for (const window of [[1], [3, 2], [0, Infinity], "soft"])
    await expect(chosen(changed(hounsfield), { window })).rejects.toThrow("window must be two numbers, the lower first, or none");
});

test("reads windows of a command line and a form", () => {
  const { read } = intensityOptions.window;
  expect(["none", "", "-50,150", "1,"].map((text) => read!(text))).toEqual([[], [], [-50, 150], [1, NaN]]);
});

test("clips to the window, which becomes 0 to 1, and takes channels together or apart", () => {
  const image = { data: Float32Array.of(-1000, 0, 50, 100, 900), shape: [1, 5, 1, 1] };
  expect([...normalized(image, { window: [0, 100], normalize: "scale" }).data]).toEqual([0, 0, 0.5, 1, 1]);
  // As options of before are, which a program may pass by itself.
  expect([...normalized(image, { normalize: "scale" }).data]).toEqual([
    ...normalized(image, { window: [], normalize: "scale" }).data,
  ]);
  const clipped = [...normalized(image, { window: [0, 100], normalize: "zscore" }).data];
  expect(clipped[2]).toBeCloseTo(0, 6);
  expect(clipped[0]).toBe(clipped[1]);
  const two = { data: Float32Array.of(0, 1, 0, 1000), shape: [2, 2, 1, 1] };
  expect([...normalized(two, { window: [], normalize: "channels" }).data]).toEqual([-1, 1, -1, 1]);
  expect(normalized(two, { window: [], normalize: "zscore" }).data[1]).toBeLessThan(0);
});
