/** @file A head of 256³ voxels with brainchop's MeshNet in the page: the labels are those of Node, and the page's thread stays free. Minutes on a processor. */

import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { readImage } from "../../src/data/index.ts";
import { segment } from "../../src/seg/index.ts";
import { modelFiles } from "../../src/seg/index.node.ts";
import { device } from "../lib/device.ts";
import { openSite, type Site, Visit } from "./site.ts";

const folder = fileURLToPath(new URL("../../../shared/data/brainchop", import.meta.url));
const model = join(folder, "models", "model5_gw_ae");
const there = existsSync(model);

let site: Site;

beforeAll(async () => {
  if (there) site = await openSite();
}, 600_000);

afterAll(() => site?.close());

test.skipIf(!there)(
  "MeshNet on a whole head",
  async () => {
    const scan = readFileSync(join(folder, "t1_crop.nii.gz"));
    const visit = await Visit.start(site);
    const { page } = visit;
    // Seven minutes of two processors that do nothing else; others may have most of them.
    page.setDefaultTimeout(2_700_000);
    await page.getByText("Model from your disk").first().click();
    const files = readdirSync(model).map((name) => ({ name, bytes: readFileSync(join(model, name)) }));
    await visit.drop("#drop-model", files);
    await page.getByRole("combobox", { name: "Intensities" }).waitFor();
    await page.getByRole("radio", { name: /^model.json/ }).waitFor();
    let bytes!: Uint8Array;
    const longest = await visit.longestTask(async () => {
      await visit.drop("#drop-scan", [{ name: "t1.nii.gz", bytes: scan }]);
      await page.waitForSelector(".viewer[data-drawn='0']");
      await page.getByRole("button", { name: "Segment", exact: true }).click();
      await page.waitForSelector(".viewer[data-drawn='1']");
      bytes = readFileSync(await visit.saved("Label map (NIfTI)"));
    });
    const seconds = await page.locator(".hint", { hasText: /^Segmented by/ }).innerText();
    const labels = await readImage(bytes, { name: "labels.nii.gz" });
    const { labels: here } = await segment(
      await device(),
      modelFiles(join(model, "model.json")),
      await readImage(scan, { name: "t1.nii.gz" }),
    );
    let differ = 0;
    for (let i = 0; i < here.data.length; i++) if (labels.data[i] !== here.data[i]) differ++;
    console.log(
      `${seconds}; ${differ} of ${here.data.length} voxels differ; longest task ${longest.processor.toFixed(0)} ms of the processor, ${longest.wall.toFixed(0)} ms by the clock`,
    );
    expect(here.data.length).toBe(256 ** 3);
    expect(new Set(here.data).size).toBe(3);
    expect(differ / here.data.length).toBeLessThanOrEqual(1e-5);
    expect(longest.processor).toBeLessThan(50);
    await visit.end();
  },
  3_600_000,
);
