/**
 * @file What recipes choose for data that nobody has tuned, on record: a changed default is a changed result for everyone who gives none. nnU-Net's plans are
 * compared with Python's elsewhere, and what it takes for the device depends on that.
 */

import { expect, test } from "vitest";
import { configure, recipes } from "../../../src/seg/index.ts";
import { tinyRecipes } from "../../lib/tiny_recipes.ts";

test.each(recipes.filter((r) => r.name !== "nnunet").map((r) => r.name))("%s", async (name) => {
  const recipe = recipes.find((r) => r.name === name)!;
  // Other structures are smaller than a nodule here.
  const given = name === "nodules" ? { minDiameter: 1 } : {};
  const { config } = await configure(recipe, await tinyRecipes[name].data(), { data: "memory", ...given });
  const { numWorkers: _, cacheSize: __, ...chosen } = config as Readonly<Record<string, unknown>>;
  await expect(`${JSON.stringify(chosen, null, 1)}\n`).toMatchFileSnapshot(`suggested/${name}.txt`);
});
