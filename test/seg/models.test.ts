/** @file Models of other systems, opened as they are, against what those systems predict. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { makeVolume, type Volume } from "../../src/data/index.ts";
import { readNiftiFile } from "../../src/data/index.node.ts";
import { ConfigError, FormatError, ShapeError } from "../../src/host/errors.ts";
import { BundleConfig } from "../../src/seg/bundle/config.ts";
import { Unknown } from "../../src/seg/bundle/expression.ts";
import { type KeepScores, keptInMemory } from "../../src/seg/inference/kept_scores.ts";
import {
  type ModelFiles,
  modelKindOf,
  type ModelSegmentOptions,
  openModel,
  segment,
  type SegmentationModel,
} from "../../src/seg/index.ts";
import { modelFiles } from "../../src/seg/index.node.ts";
import { device } from "../lib/device.ts";

const folder = join(import.meta.dirname, "../fixtures/bundle");
const dev = await device();
const image = (await readNiftiFile(join(folder, "image.nii.gz"))) as Volume;

/** Probabilities one class at a time, joined. */
async function byChannel(model: SegmentationModel, x: Volume, options: ModelSegmentOptions = {}): Promise<Float32Array> {
  const { probabilities, probabilityMap: map } = await model.segment(x, { ...options, probabilities: "channels" });
  expect(probabilities).toBeUndefined();
  expect(map!.shape).toEqual(x.shape.slice(1));
  const all = Array.from({ length: map!.channels }, (_, c) => Array.from(map!.channel(c))).flat();
  map!.dispose();
  return Float32Array.from(all);
}

describe("a bundle", async () => {
  const model = await openModel(dev, modelFiles(folder));
  afterAll(() => model.dispose());

  test("says what it is", () => {
    expect(model).toMatchObject({ kind: "bundle", channels: ["CT"] });
    expect(model.labels).toEqual([
      { name: "spleen", values: [1] },
      { name: "liver", values: [2] },
    ]);
  });

  test("predicts what MONAI does", async () => {
    const { labels, probabilities } = await model.segment(image, { probabilities: true });
    const truth = await readNiftiFile(join(folder, "labels.nii.gz"));
    const soft = await readNiftiFile(join(folder, "probabilities.nii.gz"));
    expect(labels.shape).toEqual(truth.shape);
    expect(labels.affine).toEqual(image.affine);
    expect(Array.from(labels.data)).toEqual(Array.from(truth.data));
    let worst = 0;
    for (const [i, v] of soft.data.entries()) worst = Math.max(worst, Math.abs(v - probabilities!.data[i]));
    expect(worst).toBeLessThan(2e-6);
    expect(await byChannel(model, image)).toEqual(probabilities!.data);
  });

  test("refuses a File in place of an image", async () => {
    const refused = model.segment(new File(["…"], "scan.nii.gz") as never);
    await expect(refused).rejects.toThrow(ConfigError);
    await expect(refused).rejects.toThrow("image must be a volume { data, shape, affine }, got a File");
  });

  test("refuses an image of other channels", async () => {
    const two = { ...image, shape: [2, ...image.shape.slice(1)], data: new Float32Array(2 * image.data.length) };
    await expect(model.segment(two)).rejects.toThrow(new ShapeError("the image has 2 channels, the model takes 1: CT"));
  });
});

test("segment hands on where scores are kept, for files and for models that are open", async () => {
  const kept: number[] = [];
  const keepScores: KeepScores = (channels, voxels) => (kept.push(channels), keptInMemory(channels, voxels));
  const model = await openModel(dev, modelFiles(folder));
  for (const source of [model, modelFiles(folder)]) {
    const { probabilityMap } = await segment(dev, source, image, { probabilities: "channels", keepScores });
    probabilityMap!.dispose();
  }
  model.dispose();
  expect(kept).toEqual([3, 3]);
});

test("an image with a voxel that is not finite is refused", async () => {
  const data = Float32Array.from(image.data);
  data[7] = NaN;
  await expect(segment(dev, modelFiles(folder), { ...image, data })).rejects.toThrow(
    /the image has the value NaN at \[0,0,0,7\]/,
  );
});

/** The bundle with its config changed. */
function changed(change: (config: any) => void): ModelFiles {
  const files = modelFiles(folder);
  const config = JSON.parse(readFileSync(join(folder, "configs/inference.json"), "utf8"));
  change(config);
  const bytes = new TextEncoder().encode(JSON.stringify(config));
  return { ...files, read: async (path) => (path === "configs/inference.json" ? bytes : files.read(path)) };
}

test.each<[string, (config: any) => void]>([
  ["softmax, then back to the grid", () => {}],
  ["back to the grid to the nearest voxel", (c) => (c.postprocessing.transforms[1].nearest_interp = true)],
  ["no activation", (c) => c.postprocessing.transforms.shift()],
  [
    "sigmoid, on the network's grid",
    (c) => c.postprocessing.transforms.splice(0, 2, { _target_: "Activationsd", keys: "pred", sigmoid: true }),
  ],
])("a class at a time is as all of them at once: %s", async (_, change) => {
  const files = (more: (config: any) => void) => changed((c) => (change(c), more(c)));
  const whole = await openModel(
    dev,
    files((c) => (c.postprocessing.transforms.find((t: any) => t["_target_"] === "AsDiscreted").rounding = "torchrounding")),
  );
  const single = await openModel(
    dev,
    files(() => {}),
  );
  let disposed = 0;
  const keepScores = (channels: number, voxels: number) => {
    const kept = keptInMemory(channels, voxels);
    return { ...kept, dispose: () => void disposed++ };
  };
  const [a, b] = [
    await whole.segment(image, { probabilities: true }),
    await single.segment(image, { probabilities: true, keepScores }),
  ];
  expect(b.labels).toEqual(a.labels);
  expect(new Set(b.labels.data).size).toBeGreaterThan(1);
  const worst = a.probabilities!.data.reduce((most, p, i) => Math.max(most, Math.abs(p - b.probabilities!.data[i])), 0);
  expect(worst).toBeLessThan(1e-6);
  expect(disposed).toBe(1);
  expect((await single.segment(image, { keepScores })).labels).toEqual(a.labels);
  expect(disposed).toBe(2);
  for (const model of [whole, single]) model.dispose();
});

test("values go through the type that EnsureTyped names", async () => {
  const labels = async (change: (config: any) => void) => {
    const model = await openModel(dev, changed(change));
    const found = Array.from((await model.segment(image)).labels.data);
    model.dispose();
    return found;
  };
  const ensured = await labels((c) => (c.preprocessing.transforms.at(-1).dtype = "$torch.bool"));
  expect(ensured).toEqual(await labels((c) => (c.preprocessing.transforms.at(-2).dtype = "$torch.bool")));
  expect(ensured).not.toEqual(await labels(() => {}));
});

test("an image of integers goes through the chain as floats, as MONAI reads it", async () => {
  const shift = { _target_: "ShiftIntensityd", keys: "image", offset: -40.5 };
  const model = await openModel(
    dev,
    changed((c) => c.preprocessing.transforms.splice(2, 0, shift)),
  );
  const small = Uint8Array.from(image.data, (v) => Math.max(0, Math.min(255, v + 100)));
  const scores = async (data: Uint8Array | Float32Array) =>
    (await model.segment({ ...image, data }, { probabilities: true })).probabilities!.data;
  expect(await scores(small)).toEqual(await scores(Float32Array.from(small)));
  model.dispose();
});

test.each<[string, (config: any) => void, RegExp]>([
  ["network", (c) => (c.network_def["_target_"] = "SwinUNETR"), /network SwinUNETR is not known here; known are AttentionUnet/],
  ["option of a network", (c) => (c.network_def.depth = 3), /there is no option "depth"/],
  [
    "transform",
    (c) => (c.preprocessing.transforms[3]["_target_"] = "scripts.my.Mergedd"),
    /transform scripts.my.Mergedd is not known/,
  ],
  ["option of a transform", (c) => (c.preprocessing.transforms[3].pixdims = 3), /"pixdims"/],
  ["inferer", (c) => (c.inferer["_target_"] = "scripts.Inferer"), /inferer scripts.Inferer is not known here/],
  ["option of an inferer", (c) => (c.inferer.roi = 3), /there is no option "roi"/],
  ["expression", (c) => (c.inferer.overlap = "$max(@pixdim)"), /SlidingWindowInferer.overlap is the expression "max\(@pixdim\)"/],
])("a bundle with an unknown %s names it", async (_, change, message) => {
  await expect(openModel(dev, changed(change))).rejects.toThrow(message);
});

test("references that lead nowhere or in a circle", async () => {
  await expect(
    openModel(
      dev,
      changed((c) => (c.channels = "@none")),
    ),
  ).rejects.toThrow(/no "none", which "@none" refers to/);
  await expect(
    openModel(
      dev,
      changed((c) => (c.channels = "@channels")),
    ),
  ).rejects.toThrow(/"@channels" refers to itself/);
});

test("expressions", () => {
  const at = (value: unknown) => new BundleConfig("config", { a: [1, 2, { b: "x" }], flag: false, value }).get("value");
  expect(at("$len(@a) * 2 ** 3 - 1")).toBe(23);
  expect(at("$@a#2#b + '/model.pt'")).toBe("x/model.pt");
  expect(at("@a::1")).toBe(2);
  expect(at("$[1, 2] + [3]")).toEqual([1, 2, 3]);
  expect(at("$(1.5, -2) if not @flag and 3 >= 2 else None")).toEqual([1.5, -2]);
  expect(at("$'a' if @flag else {'k': True}['k']")).toBe(true);
  expect(at("$torch.float32")).toBe("float32");
  expect(at("$7 // 2 % 2")).toBe(1);
  expect(at("$lambda x: x > 0")).toBeInstanceOf(Unknown);
  expect(at("$__import__('os').system('true')")).toBeInstanceOf(Unknown);
});

test("configs that would take all memory, time or stack are refused, or are no expressions", () => {
  const doubling = Object.fromEntries(
    Array.from({ length: 40 }, (_, i) => [`v${i}`, i === 0 ? 1 : [`@v${i - 1}`, `@v${i - 1}`]]),
  );
  expect(() => new BundleConfig("config", doubling).get("v39")).toThrow(/more than 100,000 values/);
  const value = (text: string) => new BundleConfig("config", { value: text }).get("value");
  expect(value("$[0] * 1000000000")).toBeInstanceOf(Unknown);
  expect(value("$[0] * -1")).toEqual([]);
  expect(value(`$${"(".repeat(100_000)}1`)).toBeInstanceOf(Unknown);
  expect(value(`$${"(".repeat(400)}1${")".repeat(400)}`)).toBe(1);
  expect(value("$1 +")).toBeInstanceOf(Unknown);
  expect(value("$")).toBeInstanceOf(Unknown);
  expect(value("$3  ")).toBe(3);
});

test("files that are no model", async () => {
  const files = (paths: readonly string[]): ModelFiles => ({ name: "it", paths, read: async () => new Uint8Array() });
  expect(() => modelKindOf(files(["a.txt"]))).toThrow(FormatError);
  expect(modelKindOf(files(["top/in/plans.json", "top/in/dataset.json", "top/in/fold_0/checkpoint_final.pth"])).name).toBe(
    "nnunet",
  );
  expect(modelKindOf(files(["net.onnx"])).name).toBe("onnx");
  await expect(segment(dev, files(["net.onnx"]), image)).rejects.toThrow(FormatError);
  await expect(segment(dev, modelFiles(folder), image, { folds: [0] })).rejects.toThrow(ConfigError);
});

test("a graph model of TensorFlow.js decides by the probabilities that it has there", async () => {
  const graph = join(import.meta.dirname, "../fixtures/tfjs_graph/space3d");
  const { input, outputs } = JSON.parse(readFileSync(join(graph, "expected.json"), "utf8"));
  const data = Float32Array.from({ length: 6 * 8 * 8 }, (_, i) => Math.sin(0.37 * (i + 1)));
  const model = await openModel(dev, modelFiles(graph));
  expect(model).toMatchObject({ kind: "tfjs", channels: ["channel 0"], description: "TensorFlow.js graph, 120 parameters" });
  const whole = makeVolume({ data, shape: input.slice(1) }, image.affine);
  const { labels, probabilities } = await model.segment(whole, { probabilities: true });
  const right: number[] = outputs[0].data;
  const voxels = right.length / 2;
  const decided = Array.from({ length: voxels }, (_, i) => (right[i + voxels] > 0.5 ? 2 : right[i] > 0.5 ? 1 : 0));
  expect(Array.from(labels.data)).toEqual(decided);
  expect(Math.max(...right.map((v, i) => Math.abs(v - probabilities!.data[i])))).toBeLessThan(2e-6);
  const room: number[] = [];
  const keepScores: KeepScores = (channels, count) => {
    room.push(channels * count);
    return { ...keptInMemory(channels, count), data: undefined, dispose: () => void room.pop() };
  };
  expect(await byChannel(model, whole, { keepScores })).toEqual(probabilities!.data);
  await model.segment(whole, { keepScores });
  expect(room).toEqual([]);
  model.dispose();
});
