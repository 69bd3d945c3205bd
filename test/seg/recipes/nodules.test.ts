/** @file The recipe "nodules" on a tiny chest set: crops are of the kinds asked for, it learns, and a run that stops goes on in every bit. */

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { makeChest, writeChests } from "../../../scripts/synthetic_chest.ts";
import { type AffineMatrix, type Item, makeVolume, nodulesOfMask, RandomState } from "../../../src/data/index.ts";
import { maskOfNodules, toMillimeters } from "../../../src/data/nodules/mask_nodules.ts";
import { ConfigError, DataError, type Device } from "../../../src/index.ts";
import {
  configure,
  fit,
  matchCandidates,
  memoryStore,
  nodules,
  openRun,
  readConfig,
  report,
  type RunData,
  type RunStore,
  UNet,
} from "../../../src/seg/index.ts";
import { FolderData } from "../../../src/seg/index.node.ts";
import { preparedScan, regridded } from "../../../src/seg/recipes/nodules/scans.ts";
import { candidatesOf, NoduleSegmenter } from "../../../src/seg/recipes/nodules/segmenter.ts";
import { PreparedCases } from "../../../src/seg/recipes/prepared.ts";
import { DetectionTally, readCandidates, writeCandidates } from "../../../src/seg/run/detections.ts";
import { contextOf } from "../../../src/seg/run/files.ts";
import { device } from "../../lib/device.ts";

let gpu: Device;
let folder: string;
let data: RunData;
beforeAll(async () => {
  gpu = await device();
  folder = await mkdtemp(join(tmpdir(), "nodules-"));
  await writeChests(folder, { scans: 5, size: [32, 36, 16], spacing: [1, 1, 2], diameters: [6, 9], nodules: [2, 2], vessels: 1 });
  data = await (await FolderData.open(folder)).fold(0);
});
afterAll(() => rm(folder, { recursive: true }));

const tiny = {
  epochs: 2,
  batchSize: 2,
  validateEvery: 4,
  spacing: 2,
  patchSize: [8, 8, 8],
  network: "unet",
  channels: [8, 16],
  numResUnits: 1,
  cropsPerNodule: 2,
  lr: 1e-2,
  crops: [1, 0, 0],
  augment: "none",
  loss: "diceCe",
  minDiameter: 3,
};

test("the choice of options ends when it is told to", async () => {
  const ending = new AbortController();
  const reason = new Error("enough");
  const options = { data: folder, ...tiny };
  const slow = { ...data, read: async (item: (typeof data.train)[number]) => (ending.abort(reason), data.read(item)) };
  const plain = { ...slow, train: data.train.map(({ grid: _, ...item }) => item) };
  await expect(configure(nodules, plain, options, { signal: ending.signal })).rejects.toBe(reason);
  await expect(configure(nodules, data, options, { signal: ending.signal })).rejects.toBe(reason);
});

const configured = (given: object = {}) => configure(nodules, data, { data: folder, ...tiny, ...given });

async function train(store: RunStore, given: object = {}, more: object = {}) {
  const { config, info } = await configured(given);
  return fit(nodules, { device: gpu, data, store, config, info, ...more });
}

test("an entry per nodule, crops by their kinds, padded at the end, in another order each epoch", async () => {
  const { config, info } = await configured({ crops: [0.5, 0.4, 0.1], numWorkers: 0, patchSize: [8, 8, 32] });
  expect([config.mask, config.window]).toEqual(["balls", [-1200, 600]]);
  const context = contextOf(nodules, config, info);
  const cases = new PreparedCases(nodules, context, data.train, data.read, Infinity);
  const samples = nodules.samples(cases, context, "model");
  const listed = data.train.reduce((n, c) => n + c.nodules!.length, 0);
  expect(samples.length).toBe(2 * listed);
  const epoch = (e: number) =>
    Promise.all(
      Array.from({ length: samples.length }, async (_, i) => (await samples.get(i, new RandomState([5, e, i]), e)) as Item),
    );
  const [first, again, next] = [await epoch(0), await epoch(0), await epoch(1)];
  expect(again).toEqual(first);
  expect(next.map((s) => s.name)).not.toEqual(first.map((s) => s.name));
  expect(next.map((s) => s.name).sort()).toEqual(first.map((s) => s.name).sort());
  for (const { kind, image, label } of [...first, ...next] as (Item &
    Record<"image" | "label", { data: Float32Array; shape: number[] }>)[]) {
    expect(image.shape).toEqual([1, 8, 8, 32]);
    // 16 voxels of 2 mm are there.
    expect(image.data.every((v, i) => v >= 0 && v <= 1 && (i % 32 < 16 || v === 0))).toBe(true);
    if (kind === "around") expect(label.data.some((v) => v === 1)).toBe(true);
  }
  expect(new Set([...first, ...next].map((s) => s.kind)).size).toBeGreaterThan(1);
});

test("learns; a run that stopped is the run that did not; its report says what was found", async () => {
  const whole = memoryStore();
  const { epochs } = await train(whole, { epochs: 8, validateEvery: 8, cropsPerNodule: 1 });
  expect(epochs.at(-1)!.loss).toBeLessThan(0.75 * epochs[0].loss);

  const stopped = memoryStore();
  const stop = new AbortController();
  let steps = 0;
  const onEvent = (event: { kind: string; state?: { label: string } }) => {
    if (event.kind === "progress" && event.state?.label.startsWith("epoch") && ++steps === 9) stop.abort();
  };
  const first = await train(stopped, { epochs: 8, validateEvery: 8, cropsPerNodule: 1 }, { signal: stop.signal, onEvent });
  expect(first.finished).toBe(false);
  await train(stopped, { epochs: 8, validateEvery: 8, cropsPerNodule: 1 }, { resume: true });
  expect(await stopped.read("weights.safetensors")).toEqual(await whole.read("weights.safetensors"));

  const run = await openRun(gpu, whole, nodules);
  const { evaluation, pictures } = await report(whole, run, epochs, data.val, data.read);
  run.dispose();
  const { detection } = evaluation;
  expect([detection!.images, detection!.targets]).toEqual([data.val.length, data.val.reduce((n, c) => n + c.nodules!.length, 0)]);
  expect(pictures).toContain("froc.svg");
  expect(new TextDecoder().decode((await whole.read("candidates.csv"))!)).toMatch(/^id,x,y,z,diameter_mm,score\n/);
});

test("batch norm where nobody chooses; runs of before the choice keep their instance norm", async () => {
  const statistics = async ({ config, info }: Awaited<ReturnType<typeof configured>>) => {
    const { model } = nodules.networks(gpu, contextOf(nodules, config, info));
    const names = [...(await model.stateDict()).keys()].filter((name) => name.endsWith("running_mean"));
    model.dispose();
    return names.length;
  };
  const suggested = await configured();
  expect(suggested.config.norm).toBe("batch");
  expect(await statistics(suggested)).toBeGreaterThan(0);
  const store = memoryStore();
  const { norm: _, ...before } = suggested.config;
  await store.write("config.json", JSON.stringify(before));
  const config = await readConfig(store, nodules);
  expect(config.norm).toBe("instance");
  expect(await statistics({ ...suggested, config })).toBe(0);
});

test("candidates are what is connected, with middles, sizes and scores", () => {
  const shape = [1, 12, 10, 9];
  const scores = { data: new Float32Array(12 * 10 * 9), shape };
  const put = (x: number, y: number, z: number, p: number) => (scores.data[(x * 10 + y) * 9 + z] = p);
  for (const x of [2, 3]) for (const y of [4, 5]) for (const z of [1, 2]) put(x, y, z, 0.8);
  put(4, 6, 3, 0.8); // across a corner
  put(9, 9, 8, 0.99);
  const { candidates } = candidatesOf(scores, { detectAt: 0.5, minDiameter: 1.5, core: 9 });
  expect(candidates).toHaveLength(1);
  expect(candidates[0].score).toBeCloseTo(0.8, 6);
  expect(candidates[0].diameter).toBeCloseTo(Math.cbrt((6 * 9) / Math.PI), 9);
  [2.5 * 8 + 4, 4.5 * 8 + 6, 1.5 * 8 + 3].forEach((sum, a) => expect(candidates[0].center[a]).toBeCloseTo(sum / 9, 5));
  const ranked = (core: number) => candidatesOf(scores, { detectAt: 0.5, minDiameter: 0, core }).candidates.map((c) => c.score);
  expect(ranked(1)).toEqual([expect.closeTo(0.99, 6), expect.closeTo(0.8, 6)]);
  put(2, 4, 1, 0.9);
  expect(ranked(2)).toEqual([expect.closeTo(0.85, 6), expect.closeTo(0.99 / 2, 6)]);
});

test("with mirror images, what is found in a mirror image is the mirror image of what is found", async () => {
  const network = new UNet(gpu, { spatialDims: 3, inChannels: 1, outChannels: 1, channels: [4, 8], strides: [2] });
  const windows = { roiSize: [8, 8, 8], overlap: 0, swBatchSize: 1 };
  const segmenter = new NoduleSegmenter(gpu, network, { ...windows, detectAt: 0.1, minDiameter: 0, core: 1 });
  const image = { data: new Uint8Array(512), shape: [1, 8, 8, 8] };
  const random = new RandomState(2);
  for (let i = 0; i < 512; i++) image.data[i] = random.randint(256);
  const mirrored = { ...image, data: image.data.toReversed() };
  const differing = async () => {
    const [found, seen] = [await segmenter.run(image), await segmenter.run(mirrored)];
    return found.data.filter((label, i) => label !== seen.data[511 - i]).length;
  };
  expect(await differing()).toBeGreaterThan(0);
  segmenter.configure({ mirror: true });
  expect(await differing()).toBe(0);
  segmenter.dispose();
  network.dispose();
  await expect(configured({ tta: true })).rejects.toThrow(/tta predicts mirror images/);
});

test("scans of other voxels come back on their own grid, and what is found stands in millimeters", async () => {
  const { image, nodules: list } = makeChest(new RandomState(4), {
    size: [30, 32, 12],
    spacing: [1.5, 1, 2.5],
    diameters: [6, 8],
  });
  const source = { id: "a", image, label: maskOfNodules(image, list), nodules: list };
  const { config, info } = await configured({ spacing: 1 });
  const prepared = preparedScan(source, config);
  expect(prepared.image.shape).toEqual([1, 45, 32, 30]);
  const perfect = candidatesOf(prepared.label, { detectAt: 0.5, minDiameter: 0, core: 1 });
  const found = { ...prepared.label, candidates: perfect.candidates };
  const back = await nodules.postprocess!(found, source, contextOf(nodules, config, info));
  expect(back.shape).toEqual(image.shape);
  expect(matchCandidates(back.candidates!, list).tpProbs).toEqual(list.map(() => 1));
  const affine = image.affine.map((row, r) => (r < 3 ? row.map((v) => 1000 * v) : row));
  const um = { ...source, image: makeVolume(image, affine, { units: "um" }) };
  const ofUm = await nodules.postprocess!(found, um, contextOf(nodules, config, info));
  expect(matchCandidates(ofUm.candidates!, list).tpProbs).toEqual(list.map(() => 1));
  for (const [i, { diameter }] of nodulesOfMask(makeVolume(back, image.affine)).entries())
    expect(diameter, `nodule ${i}`).toBeGreaterThan(4);
  // Where no list is, nodules are those of the mask; their voxels train, whatever the list says.
  const unlisted = preparedScan({ ...source, nodules: undefined }, { ...config, mask: "label" });
  expect(unlisted.boxes).toHaveLength(list.length);
  expect(unlisted.label).toEqual(regridded(source.label, [45, 32, 30]));
  expect(toMillimeters(image.affine, [0, 0, 0])).toEqual([120.5, 98.25, -310]);
});

test("the diameter of what is found is that of its volume, also of a slice and of oblique axes", async () => {
  const affine: AffineMatrix = [
    [1, 0.5, 0, 0],
    [0, -1, 0, 0],
    [0, 0, 2.5, 0],
    [0, 0, 0, 1],
  ];
  const image = makeVolume({ data: new Int16Array(64), shape: [1, 8, 8, 1] }, affine);
  const source = { id: "a", image, label: makeVolume({ data: new Uint8Array(64).fill(1), shape: image.shape }, affine) };
  const { config, info } = await configured({ spacing: 1, mask: "label" });
  const { label } = preparedScan(source, config);
  const { candidates } = candidatesOf({ ...label, data: label.data.map(() => 1) }, { detectAt: 0.5, minDiameter: 0, core: 1 });
  const found = { ...label, candidates };
  const [{ diameter }] = (await nodules.postprocess!(found, source, contextOf(nodules, config, info))).candidates!;
  expect(diameter).toBeCloseTo(Math.cbrt((6 / Math.PI) * 64 * 2.5), 6);
});

test("options that do not go together, and scans that cannot be used, are refused", async () => {
  await expect(configured({ network: "vnet" })).rejects.toThrow(/multiples of 16 for this vnet/);
  await expect(configured({ crops: [0.5, 0.5, 0.5] })).rejects.toThrow(ConfigError);
  await expect(configured({ window: [600, -1200] })).rejects.toThrow(/two numbers, the lower first/);
  const { config } = await configured();
  const image = makeVolume({ data: new Float32Array(8).fill(NaN), shape: [1, 2, 2, 2] });
  expect(() => preparedScan({ id: "bad", image }, config)).toThrow(DataError);
});

test("a report that finds nothing leaves no candidates of the one before, and makes no table where there was none", async () => {
  const store = memoryStore();
  await new DetectionTally().write(store);
  expect(await readCandidates(store)).toBeUndefined();
  await writeCandidates(store, new Map([["a", [{ center: [1, -2.5, 3], diameter: 4, score: 0.5 }]]]));
  await new DetectionTally().write(store);
  expect(await readCandidates(store)).toEqual(new Map());
});

test("a table of candidates keeps the rows of other cases", async () => {
  const store = memoryStore();
  const one = (score: number) => ({ center: [1, -2.5, 3], diameter: 4, score });
  await writeCandidates(
    store,
    new Map([
      ["a", [one(0.5)]],
      ["b", [one(0.25), one(0.125)]],
    ]),
  );
  await writeCandidates(
    store,
    new Map([
      ["b", []],
      ['c, "right"', [one(1)]],
    ]),
  );
  expect(await readCandidates(store)).toEqual(
    new Map([
      ["a", [one(0.5)]],
      ['c, "right"', [one(1)]],
    ]),
  );
  // LUNA16 has another table of this name.
  await store.write("candidates.csv", "seriesuid,coordX,coordY,coordZ,class\n1.3.6,1,2,3,0\n");
  await expect(readCandidates(store)).rejects.toThrow(/candidates\.csv has the columns seriesuid, .*, not id,x,y,z/);
  expect(await readCandidates(memoryStore())).toBeUndefined();
});
