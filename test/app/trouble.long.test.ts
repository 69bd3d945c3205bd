/** @file What may go wrong around a training and a scan: a full disk, what is too large for the device or the browser. It is said, with what to do, and nothing is lost. */

import { truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { en } from "../../app/text/en.ts";
import { writeNifti, makeVolume } from "../../src/data/index.ts";
import { launchChromium } from "../lib/chromium.ts";
import { openSite, type Site, Visit } from "./site.ts";

let site: Site;

beforeAll(async () => {
  site = await openSite();
});

afterAll(() => site?.close());

async function withOptions({ page }: Visit, options: Readonly<Record<string, string>>): Promise<void> {
  await page.getByRole("button", { name: "Use synthetic data" }).click();
  await page.getByText("Settings", { exact: true }).click();
  for (const [option, value] of Object.entries(options)) await page.getByRole("textbox", { name: option }).first().fill(value);
}

test("storage that is full: a run stops with a word for it, and goes on once there is room; it can be stopped with its best weights", async () => {
  const visit = await Visit.start(site, "train");
  const { page, context } = visit;
  await withOptions(visit, { epochs: "3", channels: "4,8", checkpointSeconds: "1" });
  await page.getByRole("button", { name: "Start training" }).click();
  await page.getByText(/^Step [2-9] of 27$/).waitFor();
  const session = await context.newCDPSession(page);
  const { origin } = new URL(site.url);
  await session.send("Storage.overrideQuotaForOrigin", { origin, quotaSize: 1000 });
  await page.getByText(en["error.Quota"]).waitFor();
  await page.waitForSelector("[data-state=paused]");
  await session.send("Storage.overrideQuotaForOrigin", { origin });
  await page.getByRole("button", { name: "Resume" }).click();
  await page.getByText(/^Step (1\d|2[0-6]) of 27$/).waitFor();
  await page.getByRole("button", { name: "Stop and keep the best" }).click();
  await page.getByText(/^Stopped. It has the weights of its best epoch/).waitFor();
  await page.getByRole("link", { name: "Segment" }).click();
  await page.getByRole("radio", { name: /^synthetic_1/ }).waitFor();
  await visit.end();
}, 600_000);

test("what waits for a training says so, and is canceled at once", async () => {
  const visit = await Visit.start(site, "train");
  const { page } = visit;
  await withOptions(visit, { epochs: "50", channels: "4,8" });
  await page.getByRole("button", { name: "Start training" }).click();
  await page.getByText(/^Step [2-9] of 450$/).waitFor();
  await page.getByRole("link", { name: "Segment" }).click();
  await page.getByRole("button", { name: "Use a sample" }).click();
  await page.getByRole("button", { name: "Segment", exact: true }).click();
  await page.locator(".progress").getByText(en["phase.waiting"]).waitFor();
  await page.getByRole("button", { name: "Cancel" }).click();
  await page.waitForFunction(() => !document.querySelector(".progress"));
  await page.getByRole("link", { name: "Train" }).click();
  await page.waitForSelector("[data-state=training]", { state: "attached" });
  await page.getByRole("button", { name: "Pause" }).click();
  await page.waitForSelector("[data-state=paused]");
  await visit.end();
}, 600_000);

test("a network that the device cannot hold, and a scan that the browser cannot", async () => {
  const visit = await Visit.start(site, "train");
  const { page } = visit;
  await withOptions(visit, { channels: "4096,8192,16384", batchSize: "512" });
  for (const button of ["Plan memory", "Start training"]) {
    await page.getByRole("button", { name: button }).click();
    await page.getByText(en["error.TensorTooLarge"]).waitFor();
    await page.getByRole("button", { name: "Close" }).click();
  }
  // The same page then trains what fits.
  await page.getByRole("textbox", { name: "channels" }).fill("4,8");
  await page.getByRole("textbox", { name: "batchSize" }).fill("8");
  await page.getByRole("textbox", { name: "epochs" }).first().fill("1");
  await page.getByRole("button", { name: "Start training" }).click();
  await page.waitForSelector("[data-state=finished]");

  await page.getByRole("link", { name: "Segment" }).click();
  const small = makeVolume({ data: new Uint8Array(8), shape: [1, 2, 2, 2] });
  const header = Buffer.from((await writeNifti(small, { dtype: "u8" })).subarray(0, 352));
  for (const [axis, size] of [4000, 4000, 2500].entries()) header.writeInt16LE(size, 42 + 2 * axis);
  const path = join(visit.folder(), "huge.nii");
  writeFileSync(path, header);
  truncateSync(path, 352 + 4000 * 4000 * 2500); // of holes
  await visit.dropPaths("#drop-scan", [path]);
  await page.getByText(en["error.Memory"]).waitFor();
  await page.getByText("Cannot be read", { exact: true }).waitFor();
  await page.getByRole("button", { name: "Close" }).click();
  await visit.drop("#drop-scan", [{ name: "small.nii", bytes: await writeNifti(small, { dtype: "u8" }) }]);
  await page.waitForSelector(".viewer[data-drawn='0']");
  expect(await page.locator(".failure").count()).toBe(0);
  await visit.end();
}, 600_000);

test("a GPU that is lost: the viewer draws again what it showed, and the next segmentation has a new device", async () => {
  // Of its own, since what the browser computes with is lost to all of its tabs.
  const browser = await launchChromium();
  const visit = await Visit.start({ ...site, browser });
  const { page } = visit;
  await page.getByRole("button", { name: "Use a sample" }).click();
  const place = page.locator(".place");
  await place.getByText(/ mm/).waitFor();
  const session = await browser.newBrowserCDPSession();
  await session.send("Browser.crashGpuProcess");
  await place.getByText(en["viewer.loading"]).waitFor();
  await place.getByText(/ mm/).waitFor();
  await page.getByRole("button", { name: "Segment", exact: true }).click();
  await page.waitForSelector(".results");
  await page.waitForSelector(".viewer[data-drawn='1']");
  expect(await page.locator(".failure").count()).toBe(0);
  await visit.end();
  await browser.close();
}, 600_000);
