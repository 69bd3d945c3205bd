/** @file The training of tiny_training.ts, unchanged, in Node and in Chromium. */

import { expect, test } from "vitest";
import { device } from "../lib/device.ts";
import { browserSite, evaluateIn } from "../lib/browser_site.ts";
import { readsPacked } from "./packed_volume.ts";
import { train } from "./tiny_training.ts";

const site = browserSite({ "training.js": "test/browser/tiny_training.ts", "packed.js": "test/browser/packed_volume.ts" });

test("the same training module gives the same losses in Chromium as in Node", async () => {
  const here = await train(await device());
  expect(here.losses).toHaveLength(10);
  expect(here.losses.at(-1)).toBeLessThan(0.9 * here.losses[0]);
  const page = await site.open();
  const there = await evaluateIn<typeof here>(page, site, "training.js", "train()");
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
  const page = await site.open();
  const there = await evaluateIn(page, site, "packed.js", "readsPacked()");
  const all = { "one member": true, "three members": true, "zeros behind": true, "three members and zeros": true };
  expect(there).toEqual(all);
  expect(await readsPacked()).toEqual(all);
});
