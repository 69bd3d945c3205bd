/** @file Ten steps of every recipe of the library in Chromium: the losses are Node's. */

import type { Browser } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { recipes } from "../../src/seg/index.ts";
import { bundleForBrowser, launchChromium, type Page, servePage } from "../lib/chromium.ts";
import { device } from "../lib/device.ts";
import { lossesOf, tiny } from "./recipe_steps.ts";

let browser: Browser;
let site: Page;

beforeAll(async () => {
  browser = await launchChromium();
  site = await servePage({
    "index.html": "<!doctype html><title>voxgrad</title>",
    "steps.js": await bundleForBrowser("test/browser/recipe_steps.ts"),
  });
});

afterAll(async () => {
  await browser?.close();
  await site?.close();
});

test("no recipe is left out", () => {
  expect(Object.keys(tiny).sort()).toEqual(recipes.map((r) => r.name).sort());
});

test.each(Object.keys(tiny))("%s", async (name) => {
  const page = await browser.newPage();
  await page.goto(site.url);
  const there: number[] = await page.evaluate(`import("${site.url}steps.js").then((m) => m.lossesOf(${JSON.stringify(name)}))`);
  await page.close();
  const here = await lossesOf(name, await device());
  expect(here).toHaveLength(10);
  expect(there).toHaveLength(10);
  for (const [i, loss] of there.entries())
    expect(Math.abs(loss / here[i] - 1), `step ${i + 1}: ${loss} and ${here[i]}`).toBeLessThan(1e-4);
});
