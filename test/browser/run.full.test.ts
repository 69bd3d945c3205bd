/**
 * @file A run in Chromium: stopped, the page loaded anew, gone on with from the origin's private file system; its losses are Node's. Two tabs do not
 * train into it at a time, and one that is closed leaves it as whole as it was.
 */

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

test("of two tabs one trains into a run; once it is closed, whatever it was writing, the other goes on with the losses of Node", async () => {
  const first = await site.open();
  const second = await site.open(first);
  const ended = evaluateIn(first, site, "run.js", "trainAndHold()").catch(() => "closed");
  await expect
    .poll(() => evaluateIn<number>(second, site, "run.js", "linesSoFar()"), { timeout: 60_000, interval: 50 })
    .toBeGreaterThan(5);
  for (const resume of ["true", "false"])
    await expect(evaluateIn(second, site, "run.js", `trainInPage(${resume})`)).rejects.toThrow(
      'the run "run" is being trained in another tab',
    );
  await first.close();
  expect(await ended).toBe("closed");
  // The browser lets go of a closed tab's lock when it comes to it.
  let all: number[] = [];
  await expect
    .poll(async () => (all = await evaluateIn<number[]>(second, site, "run.js", "trainInPage(true)")), { timeout: 60_000 })
    .not.toHaveLength(0);
  const here = await trainInMemory(await device());
  expect(all).toHaveLength(here.length);
  for (const [i, loss] of all.entries()) expect(Math.abs(loss / here[i] - 1), `step ${i + 1}`).toBeLessThan(1e-4);
});
