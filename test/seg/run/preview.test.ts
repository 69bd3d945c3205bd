/** @file Previews of recipes by the contract alone: slices and patches, augmentation on host and device, several networks, regions. */

import { describe, expect, test } from "vitest";
import { ConfigError, mul } from "../../../src/index.ts";
import { configure, defineRecipe, preview, type Recipe, recipes, type SliceOptions, slices2d } from "../../../src/seg/index.ts";
import { device } from "../../lib/device.ts";
import { memoryData, tinyRun } from "../../lib/memory_data.ts";

const dev = await device();

async function draw(recipe: Recipe, given: object, { data = memoryData(), samples = 2 } = {}) {
  const { config, info } = await configure(recipe, data, { data: "memory", ...given });
  data.reads = 0;
  const options = { device: dev, data, config, info, samples };
  const picture = await preview(recipe, options);
  return { picture, options, reads: data.reads };
}

describe("a preview", () => {
  test("has a column as the network sees samples, and one without augmentation if there is any", async () => {
    const plain = await draw(slices2d, tinyRun);
    const mild = await draw(slices2d, { ...tinyRun, augment: "mild" });
    expect(plain.reads).toBe(2);
    expect(mild.picture.height).toBe(plain.picture.height);
    expect(mild.picture.width).toBeGreaterThan(plain.picture.width);
    expect(await preview(slices2d, mild.options)).toEqual(mild.picture);
    const more = await draw(slices2d, tinyRun, { samples: 6 });
    expect(more.picture.height).toBeGreaterThan(2.5 * plain.picture.height);
    expect(more.reads).toBe(4);
  });

  test("has volumes, classes and regions, augmented on the device", async () => {
    const patches3d = recipes.find((r) => r.name === "patches3d")!;
    const small = { patchSize: [16, 16, 16], channels: [4, 8], numResUnits: 1 };
    const data = memoryData({ background: 0, whole: [1, 2], core: 2 }, 2);
    const { picture } = await draw(patches3d, { ...small, augment: "mirror" }, { data });
    const alone = await draw(patches3d, { ...small, augment: "none" }, { data });
    expect(picture.width).toBeGreaterThan(1.8 * alone.picture.width);
  });

  test("has the networks of a recipe of one's own below each other, before and after what its device does", async () => {
    const two = defineRecipe<SliceOptions>({
      ...slices2d,
      name: "two",
      module: undefined,
      options: { ...slices2d.options, augment: { ...slices2d.options.augment, fits: (v) => v === "rotate" } },
      networks: (gpu, context) => ({ a: slices2d.networks(gpu, context).model, b: slices2d.networks(gpu, context).model }),
      augment: (batch, _, network) => (network === "a" ? batch : { ...batch, image: mul(batch.image, 3) }),
    });
    const one = await draw(slices2d, tinyRun);
    const { picture } = await draw(two, { ...tinyRun, augment: "rotate" });
    expect(picture.height).toBeGreaterThan(1.8 * one.picture.height);
    const half = Math.floor(picture.width / 2);
    const shownAt = (from: number, to: number) => {
      for (let y = from; y < to; y++)
        for (let x = half; x < picture.width; x++) if (picture.data[3 * (y * picture.width + x)] > 60) return true;
      return false;
    };
    // The first network's batches stay as they are, so that it has one column.
    expect(shownAt(150, picture.height / 2)).toBe(false);
    expect(shownAt(picture.height / 2 + 100, picture.height)).toBe(true);
  });

  test("of no sample and no training case is an error", async () => {
    const { options } = await draw(slices2d, tinyRun);
    await expect(preview(slices2d, { ...options, samples: 0 })).rejects.toThrow(ConfigError);
    await expect(preview(slices2d, { ...options, data: { ...options.data, train: [] } })).rejects.toThrow(/no training cases/);
  });
});
