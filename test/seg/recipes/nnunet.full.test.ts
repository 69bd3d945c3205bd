/** @file The recipe "nnunet" on memory data: plans, trains, predicts; a run that stops goes on in every bit; a results folder of it predicts the same. */

import { beforeAll, expect, test } from "vitest";
import { ConfigError, type Device } from "../../../src/index.ts";
import { readTorch } from "../../../src/weights/index.ts";
import { exportRuns } from "../../../src/seg/nnunet/export_run.ts";
import { openNnunetModel } from "../../../src/seg/nnunet/model_folder.ts";
import type { NnunetRecipeOptions } from "../../../src/seg/recipes/nnunet/options.ts";
import nnunet from "../../../src/seg/recipes/nnunet/recipe.ts";
import { configure, fit, memoryStore, openRun, type RunStore, segmentCases } from "../../../src/seg/index.ts";
import { files, readEpochs } from "../../../src/seg/run/files.ts";
import { device } from "../../lib/device.ts";
import { memoryData, type MemoryLabels } from "../../lib/memory_data.ts";

let gpu: Device;
beforeAll(async () => (gpu = await device()));

const tiny = { epochs: 2, stepsPerEpoch: 2, validationSteps: 1, batchSize: 2, noMirroring: true, timeLimit: 0, features: 4 };

async function run(store: RunStore, given: object = {}, labels?: MemoryLabels, values?: number) {
  const data = memoryData(labels, values);
  const { config, info } = await configure<NnunetRecipeOptions>(nnunet, data, { data: "memory", ...tiny, ...given });
  const result = await fit(nnunet, { device: gpu, data, store, config, info });
  return { data, config, info, result };
}

test.each<[string, object, MemoryLabels | undefined, number]>([
  ["3d_fullres", {}, undefined, 1],
  [
    "2d, regions, voxels to ignore",
    { configuration: "2d", augment: "mirror" },
    { background: 0, all: [1, 2], core: 2, ignore: 3 },
    3,
  ],
])("%s", async (_name, given, labels, values) => {
  const store = memoryStore();
  const { data, result, config } = await run(store, given, labels, values);
  expect(result.finished).toBe(true);
  expect(result.epochs.every((e) => e.dice?.length === (labels ? 2 : 1))).toBe(true);
  expect(config.plans.configurations["2d"]).toBeDefined();
  const opened = await openRun(gpu, store, nnunet);
  for await (const { labels: found, dice } of segmentCases(opened, data.val, data.read)) {
    expect(found.shape).toEqual([1, 16, 16, 16]);
    expect(dice).toHaveLength(labels ? 2 : 1);
  }
  opened.dispose();
});

test("a run that stopped is the run that did not, and its results folder predicts as it does", async () => {
  const whole = memoryStore();
  const { data, config, info } = await run(whole);
  const cut = memoryStore();
  const abort = new AbortController();
  const given = { device: gpu, data, store: cut, config, info };
  await fit(nnunet, {
    ...given,
    signal: abort.signal,
    onEvent: (e) => e.kind === "progress" && e.state.done === 1 && abort.abort(),
  });
  expect((await fit(nnunet, { ...given, resume: true })).finished).toBe(true);
  expect(await cut.read(files.weights)).toEqual(await whole.read(files.weights));
  const exported = {
    ...config,
    ...info,
    files: { fileEnding: ".nii.gz", numTraining: 4 },
    mirrorAxes: [0, 1, 2],
    epochs: await readEpochs(whole),
    weights: (await whole.read(files.weights))!,
  };
  const folder = exportRuns([exported]);
  const axesOf = async (made: typeof folder) => {
    const checkpoint = made.get("fold_0/checkpoint_final.pth") as Uint8Array;
    return (await readTorch(checkpoint, { key: "network_weights" })).metadata.get("inference_allowed_mirroring_axes");
  };
  expect(await axesOf(folder)).toBe("[0,1,2]");
  // nnU-Net takes None for no mirror images, and fails with an empty list.
  expect(await axesOf(exportRuns([{ ...exported, mirrorAxes: [] }]))).toBeUndefined();
  const bytes = (x: Uint8Array | string | undefined) => (typeof x === "string" ? new TextEncoder().encode(x) : x);
  const model = await openNnunetModel(gpu, async (path) => bytes(folder.get(path)));
  const opened = await openRun(gpu, whole, nnunet);
  const { image } = await data.read(data.val[0]);
  const { labels } = await model.predict(image, { mirroring: false });
  const found = await segmentCases(opened, data.val.slice(0, 1), data.read).next();
  expect(labels.data).toEqual(found.value!.labels.data);
  expect(model.configurationName).toBe("3d_fullres");
  model.dispose();
  // Masks of 0 and 255 are usual; nnU-Net writes 1 all the same, and so says what is exported.
  const values = (set: typeof folder) => JSON.parse(set.get("dataset.json") as string) as { labels: object };
  const of255 = info.labels.map((l) => ({ ...l, values: l.values.map((v) => 255 * v) }));
  expect(values(exportRuns([{ ...exported, labels: of255 }])).labels).toEqual(values(folder).labels);
  const gaps = new Map(folder).set("dataset.json", JSON.stringify({ ...values(folder), labels: { background: 0, one: 255 } }));
  const again = await openNnunetModel(gpu, async (path) => bytes(gaps.get(path)));
  expect(again.classes).toEqual([{ name: "one", values: [1] }]);
  again.dispose();
  opened.dispose();
});

test("what a device can do in so many minutes", async () => {
  const data = memoryData();
  const said: string[] = [];
  const { config } = await configure<NnunetRecipeOptions>(
    nnunet,
    data,
    { data: "memory", timeLimit: 0.5 },
    { device: async () => gpu, log: (text) => said.push(text) },
  );
  expect(config.epochs * config.stepsPerEpoch).toBeGreaterThan(1);
  expect(config.trained.batch_size).toBe(config.batchSize);
  expect(said.some((text) => text.startsWith("in 0.5 minutes"))).toBe(true);
  await expect(configure(nnunet, data, { data: "memory", timeLimit: 1 })).rejects.toThrow(ConfigError);
});
