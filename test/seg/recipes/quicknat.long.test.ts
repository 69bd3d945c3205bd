/** @file The recipe "QuickNAT" trained for a while on memory data: it learns, its views together are better than most alone, and draws agree in part. */

import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { readImageFile, readNiftiFile } from "../../../src/data/index.node.ts";
import {
  configure,
  fit,
  memoryStore,
  openRun,
  quicknatRecipe,
  report,
  sampleCases,
  uncertaintyCsv,
} from "../../../src/seg/index.ts";
import { diceOfLabels } from "../../../src/seg/metrics/label_dice.ts";
import { nanMean } from "../../../src/host/stats.ts";
import { device } from "../../lib/device.ts";
import { memoryData } from "../../lib/memory_data.ts";
import { succeed, temporaryFolder, writeTinyDataset } from "../../lib/tiny.ts";

test("three networks learn and add up, and draws of dropout agree in part", async () => {
  const gpu = await device();
  const store = memoryStore();
  const data = memoryData({ background: 0, one: 1, two: 2 }, 2);
  const { config, info } = await configure(quicknatRecipe, data, {
    data: "memory",
    epochs: 8,
    batchSize: 4,
    validateEvery: 4,
    samplesPerVolume: 8,
    filters: 6,
    kernel: 3,
    dropout: 0.05,
    sliceBatch: 16,
    lr: 0.05,
    stepEpochs: 6,
  });
  const result = await fit(quicknatRecipe, { device: gpu, data, store, config, info });
  expect(result.epochs.at(-1)!.loss).toBeLessThan(0.7 * result.epochs[0].loss);
  expect(result.epochs.map((e) => e.lr)).toEqual([...new Array<number>(6).fill(0.05), 0.05 * 0.1, 0.05 * 0.1]);

  const opened = await openRun(gpu, store, quicknatRecipe);
  const { pictures } = await report(store, opened, result.epochs, data.val, data.read);
  expect(pictures).toEqual(expect.arrayContaining(["sample_loss.svg", "sample_dice.svg"]));

  // A part of the networks is a part of the views.
  const context = opened.context as never;
  const diceOf = async (names: readonly string[]) => {
    const segmenter = quicknatRecipe.segmenter(gpu, Object.fromEntries(names.map((n) => [n, opened.networks[n]])), context);
    const scores: number[] = [];
    for (const item of data.val) {
      const source = await data.read(item);
      const { image } = await quicknatRecipe.prepare(source, context);
      scores.push(...diceOfLabels(await segmenter.run(image), source.label!, opened.context.outputs.foreground));
    }
    segmenter.dispose();
    return nanMean(scores);
  };
  const together = await diceOf(["COR", "AXI", "SAG"]);
  const alone = [await diceOf(["COR"]), await diceOf(["AXI"]), await diceOf(["SAG"])];
  expect(together).toBeGreaterThan(0.6);
  expect(together).toBeLessThanOrEqual(1);
  expect(together).toBeGreaterThan(nanMean(alone));

  for await (const sampled of sampleCases(gpu, opened, data.val.slice(0, 1), data.read, { samples: 3 })) {
    expect(sampled.labels.shape).toEqual([1, 16, 16, 16]);
    expect(sampled.variance.data.some((v) => v > 0)).toBe(true);
    const csv = uncertaintyCsv(sampled.structures).trim().split("\n");
    expect(csv[0]).toBe("case,label,iou,cv,ml");
    expect(csv).toHaveLength(3);
    const two = sampled.structures[1];
    expect(two.iou).toBeGreaterThan(0);
    expect(two.iou).toBeLessThan(1);
    expect(two.coefficientOfVariation).toBeGreaterThan(0);
  }
  opened.dispose();
});

const { folder, remove } = temporaryFolder();
const at = (...names: string[]) => join(folder, ...names);
const tiny = { epochs: 2, batchSize: 4, validateEvery: 1, samplesPerVolume: 3, volumeSize: [16, 16, 16], filters: 4, kernel: 3 };

beforeAll(() => writeTinyDataset(at("data"), { 0: "background", 1: "one", 2: "two" }));
afterAll(remove);

test("the example, in ten lines; uncertainty of its run, and its data as PNG slices", async () => {
  const example = new URL("../../../examples/quicknat.ts", import.meta.url);
  const lines = readFileSync(example, "utf8").split("\n");
  expect(lines.filter((line) => /^\w/.test(line) && !line.startsWith("import")).length).toBeLessThan(11);
  const args = ["--conditions=voxgrad-source", example.pathname, at("data"), at("example"), JSON.stringify(tiny)];
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: "utf8" });
  expect(status, stderr).toBe(0);
  expect(stdout).toMatch(/one [\d.]+\ntwo [\d.]+/);
  for (const file of ["weights.safetensors", "best.safetensors", "sample_loss.svg", "sample_dice.svg", "dice.svg"])
    expect(existsSync(at("example", file)), file).toBe(true);

  await succeed([
    "uncertainty",
    "--run",
    at("example"),
    "--data",
    at("data"),
    "--fold",
    "0",
    "--out",
    at("draws"),
    "--samples",
    "2",
  ]);
  const table = readFileSync(at("draws", "uncertainty.csv"), "utf8").trim().split("\n");
  expect(table[0]).toBe("case,label,iou,cv,ml");
  expect(table.slice(1).map((line) => line.split(",").slice(0, 2).join(" "))).toEqual([
    "case4 one",
    "case4 two",
    "case5 one",
    "case5 two",
  ]);
  const [source, variance, labels] = await Promise.all(
    [at("data", "imagesTr", "case4.nii.gz"), at("draws", "case4_variance.nii.gz"), at("draws", "case4.nii.gz")].map((f) =>
      readNiftiFile(f),
    ),
  );
  expect([variance.shape, variance.affine]).toEqual([source.shape, source.affine]);
  expect(labels.shape).toEqual(source.shape);

  const { stdout: said } = await succeed([
    "export-slices",
    "--data",
    at("data"),
    "--fold",
    "0",
    "--out",
    at("png"),
    "--views",
    "AXI",
  ]);
  expect(said).toContain("slices of 4 cases");
  const label = await readNiftiFile(at("data", "labelsTr", "case0.nii.gz"));
  const slice = await readImageFile(at("png", "axial_labels", "case0_009.png"));
  const inSlice = Array.from(label.data).filter((_, i) => i % 18 === 9);
  expect(Array.from(slice.data).toSorted()).toEqual(inSlice.toSorted());
});
