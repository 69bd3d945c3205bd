/** @file Five steps of every recipe of the library in Chromium: the losses are Node's. */

import { expect, test } from "vitest";
import { recipes } from "../../src/seg/index.ts";
import { browserSite, evaluateIn } from "../lib/browser_site.ts";
import { device } from "../lib/device.ts";
import { tinyRecipes } from "../lib/tiny_recipes.ts";
import { lossesOf } from "./recipe_steps.ts";

const site = browserSite({ "steps.js": "test/browser/recipe_steps.ts" });

test("no recipe is left out", () => {
  expect(Object.keys(tinyRecipes).sort()).toEqual(recipes.map((r) => r.name).sort());
});

test.each(Object.keys(tinyRecipes))("%s", async (name) => {
  const page = await site.open();
  const there: number[] = await evaluateIn(page, site, "steps.js", `lossesOf(${JSON.stringify(name)})`);
  await page.close();
  const here = await lossesOf(name, await device());
  expect(here).toHaveLength(5);
  expect(there).toHaveLength(5);
  for (const [i, loss] of there.entries())
    expect(Math.abs(loss / here[i] - 1), `step ${i + 1}: ${loss} and ${here[i]}`).toBeLessThan(1e-4);
});
