/** @file The training of tiny_training.ts, unchanged, in Node and in Chromium. */

import type { Browser } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { device } from "../lib/device.ts";
import { bundleForBrowser, launchChromium, type Page, servePage } from "../lib/chromium.ts";
import { readsPacked } from "./packed_volume.ts";
import { train } from "./tiny_training.ts";

let browser: Browser;
let site: Page;

beforeAll(async () => {
  browser = await launchChromium();
  site = await servePage({
    "index.html": "<!doctype html><title>voxgrad</title>",
    "training.js": await bundleForBrowser("test/browser/tiny_training.ts"),
    "packed.js": await bundleForBrowser("test/browser/packed_volume.ts"),
  });
});

afterAll(async () => {
  await browser?.close();
  await site?.close();
});

test("the same training module gives the same losses in Chromium as in Node", async () => {
  const here = await train(await device());
  expect(here.losses).toHaveLength(10);
  expect(here.losses.at(-1)).toBeLessThan(0.9 * here.losses[0]);
  const page = await browser.newPage();
  await page.goto(site.url);
  // As text, because the test runner rewrites the import() of a function.
  const there: typeof here = await page.evaluate(`import("${site.url}training.js").then((module) => module.train())`);
  expect(there.adapter).toMatch(/swiftshader/i);
  expect(there.losses).toHaveLength(10);
  for (const [step, loss] of there.losses.entries()) {
    expect(
      Math.abs(loss / here.losses[step] - 1),
      `step ${step + 1}: ${loss} in Chromium, ${here.losses[step]} in Node`,
    ).toBeLessThan(1e-4);
  }
});

test("gzip of several members and with zeros behind is read in Chromium as in Node", async () => {
  const page = await browser.newPage();
  await page.goto(site.url);
  const there = await page.evaluate(`import("${site.url}packed.js").then((module) => module.readsPacked())`);
  const all = { "one member": true, "three members": true, "zeros behind": true, "three members and zeros": true };
  expect(there).toEqual(all);
  expect(await readsPacked()).toEqual(all);
});
