/** @file A run in Chromium: stopped, the page loaded anew, gone on with from the origin's private file system; its losses are Node's. */

import type { Browser } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { bundleForBrowser, launchChromium, type Page, servePage } from "../lib/chromium.ts";
import { device } from "../lib/device.ts";
import { trainInMemory } from "./opfs_run.ts";

let browser: Browser;
let site: Page;

beforeAll(async () => {
  browser = await launchChromium();
  site = await servePage({
    "index.html": "<!doctype html><title>voxgrad</title>",
    "run.js": await bundleForBrowser("test/browser/opfs_run.ts"),
  });
});

afterAll(async () => {
  await browser?.close();
  await site?.close();
});

test("a run in a page goes on after a reload, with the losses of Node", async () => {
  const page = await browser.newPage();
  const train = (args: string): Promise<number[]> =>
    page.evaluate(`import("${site.url}run.js").then((m) => m.trainInPage(${args}))`);
  await page.goto(site.url);
  const first = await train("false, 5");
  expect(first.length).toBeGreaterThanOrEqual(5);
  expect(first.length).toBeLessThan(16);
  await page.reload();
  const all = await train("true");
  expect(all.slice(0, first.length)).toEqual(first);
  const here = await trainInMemory(await device());
  expect(all).toHaveLength(here.length);
  for (const [i, loss] of all.entries()) expect(Math.abs(loss / here[i] - 1), `step ${i + 1}`).toBeLessThan(1e-4);
});
