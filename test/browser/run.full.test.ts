/** @file A run in Chromium: stopped, the page loaded anew, gone on with from the origin's private file system; its losses are Node's. */

import { expect, test } from "vitest";
import { browserSite, evaluateIn } from "../lib/browser_site.ts";
import { device } from "../lib/device.ts";
import { trainInMemory } from "./opfs_run.ts";

const site = browserSite({ "run.js": "test/browser/opfs_run.ts" });

test("a run in a page goes on after a reload, with the losses of Node", async () => {
  const page = await site.open();
  const train = (args: string): Promise<number[]> => evaluateIn(page, site, "run.js", `trainInPage(${args})`);
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
