/** @file A DICOM series in Chromium: every voxel and the affine are Node's. */

import type { Browser } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { bundleForBrowser, launchChromium, type Page, servePage } from "../lib/chromium.ts";
import { dicomSlice, encodings } from "../lib/dicom_file.ts";
import { readAll } from "./dicom_series.ts";

let browser: Browser;
let site: Page;

beforeAll(async () => {
  browser = await launchChromium();
  site = await servePage({
    "index.html": "<!doctype html><title>voxgrad</title>",
    "dicom.js": await bundleForBrowser("test/browser/dicom_series.ts"),
  });
});

afterAll(async () => {
  await browser?.close();
  await site?.close();
});

test("a series of several encodings, rescaled and oblique", async () => {
  const orientation = [0.8, 0.6, 0, -0.6, 0.8, 0];
  const kinds = [encodings.deflated, encodings.explicit, encodings.implicit, encodings.bigEndian];
  const files = [2, 0, 3, 1].map((k) => [
    ...dicomSlice({
      position: [5, -7, 2.5 * k],
      instance: k + 1,
      orientation,
      size: [17, 13],
      encoding: kinds[k],
      more: { 0x00281053: ["DS", "0.37"], 0x00281052: ["DS", "-11"] },
    }),
  ]);
  const page = await browser.newPage();
  await page.goto(site.url);
  const there = await page.evaluate(`import("${site.url}dicom.js").then((m) => m.readAll(${JSON.stringify(files)}))`);
  const here = await readAll(files);
  expect(here.shape).toEqual([1, 17, 13, 4]);
  expect(there).toEqual(here);
});
