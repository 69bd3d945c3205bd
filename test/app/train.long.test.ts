/** @file Training in the page: a page that is loaded anew in the middle goes on with the losses of a run that nothing disturbed, and the run is the command line's. */

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openData } from "../../app/worker/run_data.ts";
import { sampleVolume } from "../../app/worker/scans.ts";
import { writeNifti } from "../../src/data/index.ts";
import { fit, memoryStore, type RunStore, slices2d } from "../../src/seg/index.ts";
import { callCli } from "../lib/call_cli.ts";
import { device } from "../lib/device.ts";
import { openSite, type Site, unpack, Visit } from "./site.ts";

let site: Site;
let folder: string;
/** Losses of the run that nothing disturbed. */
let whole: readonly number[] = [];

beforeAll(async () => {
  site = await openSite();
  folder = mkdtempSync(join(tmpdir(), "voxgrad-run-"));
});

afterAll(async () => {
  await site?.close();
  if (folder) rmSync(folder, { recursive: true, force: true });
});

const options = { epochs: "3", checkpointSeconds: "1", channels: "4,8", batchSize: "8" };

/** Makes the data ready and sets the options. */
async function prepare({ page }: Visit, name: string, more: Readonly<Record<string, string>> = {}): Promise<void> {
  await page.getByRole("button", { name: "Use synthetic data" }).click();
  await page.locator("details.more:not([open]) summary, details.more[open] .options").first().waitFor();
  if (await page.locator("details.more:not([open])").count()) await page.getByText("Settings").click();
  for (const [option, value] of Object.entries({ ...options, ...more }))
    await page.getByRole("textbox", { name: option, exact: false }).first().fill(value);
  await page.getByRole("textbox", { name: "Name of the run" }).fill(name);
}

/** The losses of the steps that a run's metrics have. */
async function lossesOf({ page }: Visit, name: string): Promise<number[]> {
  const text = await page.evaluate(async (run) => {
    const runs = await (await navigator.storage.getDirectory()).getDirectoryHandle("runs");
    const file = await (await runs.getDirectoryHandle(run)).getFileHandle("metrics.jsonl");
    return (await file.getFile()).text();
  }, name);
  const lines = text.trim().split("\n");
  return lines.map((line) => JSON.parse(line)).flatMap(({ step, loss }) => (step === undefined ? [] : [loss]));
}

const finished = ({ page }: Visit) => page.waitForSelector("[data-state=finished]");

test("a run that is cut off by a reload ends as one that is not, and so does one that is paused", async () => {
  const visit = await Visit.start(site, "train");
  const { page } = visit;
  // What cannot be applied does not train, nor does a run without a name for its folder.
  await prepare(visit, "whole", { epochs: "many" });
  await page.getByRole("button", { name: "Start training" }).click();
  await page.getByText(/epochs must be a positive integer/).waitFor();
  await prepare(visit, "..");
  await page.getByRole("button", { name: "Start training" }).click();
  await page.getByText(/cannot be the name of a folder/).waitFor();
  expect(await page.locator(".live").count()).toBe(0);
  await page.reload();
  await visit.ready();
  await prepare(visit, "whole");
  const longest = await visit.longestTask(async () => {
    await page.getByRole("button", { name: "Start training" }).click();
    await finished(visit);
  });
  console.log(`longest task: ${longest.processor.toFixed(0)} ms of the processor, ${longest.wall.toFixed(0)} ms by the clock`);
  expect(longest.processor).toBeLessThan(50);
  expect(await visit.findings()).toEqual([]);
  whole = await lossesOf(visit, "whole");
  expect(whole).toHaveLength(27);
  expect(whole.at(-1)).toBeLessThan(whole[0]);

  await page.reload();
  await visit.ready();
  await prepare(visit, "broken");
  await page.getByRole("button", { name: "Start training" }).click();
  await page.getByText(/^Step (1[5-9]|2\d) of 27$/).waitFor();
  await page.reload(); // as if the tab were closed
  await visit.ready();
  const before = await lossesOf(visit, "broken");
  expect(before.length).toBeLessThan(27);
  await page.locator("li", { hasText: "broken" }).getByRole("button", { name: "Resume" }).click();
  await page.getByText(/^Step (1[6-9]|2\d) of 27$/).waitFor();
  await page.getByRole("button", { name: "Pause" }).click();
  await page.waitForSelector("[data-state=paused], [data-state=finished]");
  const resume = page.locator("li", { hasText: "broken" }).getByRole("button", { name: "Resume" });
  if (await resume.isVisible()) {
    await resume.click();
    await finished(visit);
  }
  expect(await lossesOf(visit, "broken")).toEqual(whole);

  // The run is what Node would have trained.
  const zip = await visit.page.locator("li", { hasText: "whole" }).getByRole("button", { name: "Download" });
  const [download] = await Promise.all([page.waitForEvent("download"), zip.click()]);
  unpack(readFileSync((await download.path())!), folder);
  const run = join(folder, "whole");
  const [config, info] = ["config.json", "run.json"].map((file) => JSON.parse(readFileSync(join(run, file), "utf8")));
  const store: RunStore = memoryStore();
  const data = (await openData({ kind: "synthetic", cases: 12, seed: 7 })).fold(0);
  await fit(slices2d, { device: await device(), data, store, config, info });
  const here = new TextDecoder()
    .decode(await store.read("metrics.jsonl"))
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
  const losses = here.flatMap(({ step, loss }) => (step === undefined ? [] : [loss]));
  for (const [i, loss] of whole.entries()) expect(Math.abs(loss / losses[i] - 1), `step ${i + 1}`).toBeLessThan(1e-3);

  // The command line predicts with it.
  const scan = join(folder, "scan.nii.gz");
  writeFileSync(scan, await writeNifti(sampleVolume(), { dtype: "f32", gzip: true }));
  const { code, stdout, stderr } = await callCli(["predict", "--run", run, scan, "--out", join(folder, "out")]);
  expect(code ?? 0, stderr + stdout).toBe(0);
  expect(readFileSync(join(folder, "out", "scan.nii.gz")).length).toBeGreaterThan(100);

  // Results, worst first, and the report.
  await page.locator("li", { hasText: "whole" }).getByRole("button", { name: "Look at the results" }).click();
  await page.getByRole("button", { name: "Segment and score" }).click();
  await page.waitForSelector(".viewer[data-drawn='2']");
  const means = await page.locator(".cases tbody td:nth-child(2)").allInnerTexts();
  expect(means).toHaveLength(3);
  expect(means.map(Number)).toEqual(means.map(Number).toSorted((a, b) => a - b));
  expect(readFileSync(await visit.saved("Report (HTML)"), "utf8")).toContain("whole");

  // And it segments, here.
  await page.getByRole("link", { name: "Segment" }).click();
  await page.getByRole("radio", { name: /^whole/ }).check();
  await page.getByRole("button", { name: "Use a sample" }).click();
  await page.waitForSelector(".viewer[data-drawn='0']");
  await page.getByRole("button", { name: "Segment", exact: true }).click();
  await page.locator(".hint", { hasText: /^Segmented by whole/ }).waitFor();
  await visit.end();
}, 900_000);

/** Put before the worker's code: the first device that it opens is destroyed when it is told so, as a driver's reset would. */
const destroying = `{
  const { requestDevice } = GPUAdapter.prototype;
  let first;
  GPUAdapter.prototype.requestDevice = async function (...args) {
    const device = await requestDevice.apply(this, args);
    first ??= device;
    return device;
  };
  new BroadcastChannel("device").onmessage = () => first.destroy();
}
`;

test("a lost device: a new one goes on from the checkpoint, to the same losses", async () => {
  const visit = await Visit.start(site, "train", { serviceWorkers: "block" }, async (context) => {
    await context.route("**/assets/main-*.js", async (route) => {
      const response = await route.fetch();
      await route.fulfill({ response, body: destroying + (await response.text()) });
    });
  });
  const { page } = visit;
  await prepare(visit, "lost");
  await page.getByRole("button", { name: "Start training" }).click();
  await page.getByText(/^Step 1[2-9] of 27$/).waitFor();
  await page.evaluate(() => new BroadcastChannel("device").postMessage(null));
  await page.getByText("The GPU was lost").waitFor();
  await finished(visit);
  expect(await lossesOf(visit, "lost")).toEqual(whole);
  await visit.end();
}, 300_000);
