/** @file `fit` on data and stores that are no disk: several networks, regions, bounded caches, interruptions, options that changed. */

import { describe, expect, test } from "vitest";
import { CheckpointError, ConfigError, type Device } from "../../../src/index.ts";
import {
  type Context,
  defineRecipe,
  type LoadedCase,
  memoryStore,
  openRun,
  type Recipe,
  type Segmenter,
  segmentCases,
  type SliceOptions,
  SliceSegmenter,
  slices2d,
  UNet,
} from "../../../src/seg/index.ts";
import { type Case } from "../../../src/data/index.ts";
import { device } from "../../lib/device.ts";
import { memoryData, tinyRun } from "../../lib/memory_data.ts";
import { epochsIn, memoryRun, textIn } from "../../lib/memory_run.ts";

const dev: Device = await device();

const run = memoryRun(dev);

/** Two views, as QuickNAT has three: a network for each of two axes, of which the second has the last word where it says anything. */
const twoViews = defineRecipe<SliceOptions>({
  ...slices2d,
  name: "two-views",
  module: undefined,
  samples: (cases, context, network) => slices2d.samples(cases, turned(context, network), network),
  networks: (gpu, { config, outputs }) => {
    const net = () =>
      new UNet(gpu, {
        spatialDims: 2,
        inChannels: 1,
        outChannels: outputs.channels,
        channels: config.channels,
        strides: [2],
        numResUnits: config.numResUnits,
      });
    return { axial: net(), coronal: net() };
  },
  segmenter(gpu, networks, context): Segmenter {
    const views = Object.entries(networks).map(([name, model]) => {
      const { config, outputs } = turned(context, name);
      return new SliceSegmenter(gpu, model, { patchSize: [16, 16], sliceAxis: config.sliceAxis, outputs });
    });
    return {
      async run(image, hooks) {
        const [a, b] = [await views[0].run(image, hooks), await views[1].run(image, hooks)];
        return { data: a.data.map((v, i) => Math.max(v, b.data[i])), shape: a.shape };
      },
      dispose: () => views.forEach((v) => v.dispose()),
    };
  },
});

const turned = (context: Context<SliceOptions>, network: string): Context<SliceOptions> => ({
  ...context,
  config: { ...context.config, sliceAxis: network === "axial" ? 2 : 1 },
});

/** Aborts at the first event for which `when` holds. */
function stopping(when: (event: any) => boolean) {
  const controller = new AbortController();
  return { signal: controller.signal, onEvent: (event: unknown) => when(event) && controller.abort() };
}

/** Runs to the end, and with interruptions at each of some places: weights and history must be equal. */
async function expectResumable(recipe: Recipe, places: readonly ((event: any) => boolean)[]): Promise<void> {
  const whole = memoryStore();
  await run(recipe, whole);
  for (const when of places) {
    const parts = memoryStore();
    const first = await run(recipe, parts, memoryData(), {}, stopping(when));
    expect(first.finished).toBe(false);
    expect(await parts.has("weights.safetensors")).toBe(false);
    const second = await run(recipe, parts, memoryData(), {}, { resume: true });
    expect(second.finished).toBe(true);
    for (const file of ["weights.safetensors", "best.safetensors", "checkpoint.safetensors"])
      expect(Buffer.from((await parts.read(file))!).equals((await whole.read(file))!), `${file}, ${when}`).toBe(true);
    expect(await epochsIn(parts)).toEqual(await epochsIn(whole));
  }
}

const step = (n: number) => (e: any) => e.kind === "progress" && e.state.label.startsWith("epoch") && e.state.done >= n;
const validating = (e: any) => e.kind === "progress" && e.state.label === "validation";

describe("a run in memory", () => {
  test("validates cases that have a label, and segments no others", async () => {
    const segmented: number[] = [];
    const counting = defineRecipe<SliceOptions>({
      ...slices2d,
      name: "counting",
      module: undefined,
      segmenter(...given): Segmenter {
        const inner = slices2d.segmenter(...given);
        const run: Segmenter["run"] = (image, hooks) => {
          segmented.push(image.shape.length);
          return inner.run(image, hooks);
        };
        return { run, dispose: () => inner.dispose() };
      },
    });
    const data = memoryData();
    const { read } = data;
    const unlabeled = async (item: Case): Promise<LoadedCase> => {
      const found = await read(item);
      return item.id === "case5" ? { id: found.id, image: found.image } : found;
    };
    await run(counting, memoryStore(), { ...data, read: unlabeled });
    expect(segmented).toHaveLength(tinyRun.epochs);
  });

  test("goes on bit for bit wherever it was stopped, in a validation too", () =>
    expectResumable(slices2d, [step(1), step(8), step(11), validating]));

  test("of two networks goes on bit for bit, stopped in the first or the second", () =>
    expectResumable(twoViews, [step(3), step(13), step(16), validating]));

  test("keeps the weights of several networks apart, and predicts with all of them", async () => {
    const store = memoryStore();
    const data = memoryData();
    await run(twoViews, store, data);
    const opened = await openRun(dev, store, twoViews, "weights");
    const found = [];
    for await (const { id, dice, labels } of segmentCases(opened, data.val, data.read))
      found.push({ id, dice, size: labels.shape });
    opened.dispose();
    expect(found.map((f) => f.id)).toEqual(["case4", "case5"]);
    const last = (await epochsIn(store)).at(-1);
    expect((found[0].dice![0] + found[1].dice![0]) / 2).toBe(last.dice[0]);
  });

  test("reads each case once if it fits the cache, and again each time if it does not", async () => {
    const counts = [];
    for (const cacheSize of [1, 1e-9]) {
      const data = memoryData();
      await run(slices2d, memoryStore(), data, { cacheSize, epochs: 3 });
      counts.push(data.reads);
    }
    // All to be checked, then training cases once or three times, and two validation cases, which have a cache of their own.
    expect(counts).toEqual([6 + 4 + 2, 6 + 3 * 4 + 2]);
  });

  test("is refused by a store that has one, and by options that are not its own", async () => {
    for (const file of ["report.html", "loss.svg", "candidates.csv", "config.json", "metrics.jsonl", "sessions.jsonl"]) {
      const others = memoryStore();
      await others.write(file, "precious");
      await expect(run(slices2d, others)).rejects.toThrow(`holds the ${file} of another run; choose another --out`);
      expect(new TextDecoder().decode(await others.read(file))).toBe("precious");
    }
    const store = memoryStore();
    await run(slices2d, store);
    // What is left where a run is killed before its first checkpoint is a new one's place, and nothing else.
    const begun = async (changed: Readonly<Record<string, string>>) => {
      const killed = memoryStore();
      for (const file of ["run.json", "config.json", "sessions.jsonl"]) await killed.write(file, (await store.read(file))!);
      await killed.write("metrics.jsonl", (await textIn(store, "metrics.jsonl")).split("\n")[0] + '\n{"epoch": 1, "st');
      for (const [file, content] of Object.entries(changed)) await killed.write(file, content);
      return run(slices2d, killed);
    };
    expect((await begun({})).epochs.length).toBe(2);
    await expect(begun({ "metrics.jsonl": await textIn(store, "metrics.jsonl") })).rejects.toThrow("holds the metrics.jsonl of");
    await expect(begun({ "run.json": '{"run": 5}' })).rejects.toThrow(/run\.json/);
    await expect(run(slices2d, store)).rejects.toThrow(/holds a run already/);
    const resume = (given: object) => run(slices2d, store, memoryData(), given, { resume: true });
    await expect(resume({ lr: 0.5 })).rejects.toThrow(ConfigError);
    await expect(resume({ lr: 0.5 })).rejects.toThrow(/lr is 0.5, but the run was trained with 0.01/);
    expect((await resume({ epochs: 3, cacheSize: 1 })).epochs.map((e) => e.epoch)).toEqual([1, 2, 3]);
    await expect(openRun(dev, store, { ...slices2d, version: 9 })).rejects.toThrow(CheckpointError);
  });

  test("describes itself", async () => {
    const store = memoryStore();
    await run(slices2d, store);
    expect(JSON.parse(await textIn(store, "run.json"))).toMatchObject({
      recipe: { name: "slices2d", version: 1 },
      labels: [
        { name: "background", values: [0] },
        { name: "ball", values: [1] },
      ],
      channels: ["synthetic"],
      spacing: [1, 1, 1],
      outputs: "sigmoid",
    });
  });
});

describe("labels", () => {
  // Slices 0 … 4 of axis 0.
  const ignored = (i: number) => Math.floor(i / 256) < 5;
  const ignoring = () => memoryData({ background: 0, ball: 1, ignore: 9 }, 1, { relabel: (v, i) => (ignored(i) ? 9 : v) });

  test("that are to be ignored do not train: what the image shows there makes no difference", async () => {
    const shuffled = ignoring();
    const read = async (item: Case): Promise<LoadedCase> => {
      const { image, ...rest } = await ignoring().read(item);
      return { ...rest, image: { ...image, data: image.data.map((v, i) => (ignored(i) ? image.data[1279 - i] : v)) } };
    };
    const given = { sliceAxis: 0, foreground: 0 };
    const weights = [];
    for (const data of [ignoring(), { ...shuffled, read }, memoryData()]) {
      const store = memoryStore();
      await run(slices2d, store, data, given);
      weights.push(Buffer.from((await store.read("weights.safetensors"))!).toString("base64"));
    }
    expect(weights[1] === weights[0]).toBe(true);
    expect(weights[2] === weights[0]).toBe(false);
  });

  test("that are to be ignored are no class, and are left out by recipes that say so", async () => {
    for (const given of [
      { fit: "resize", patchSize: [24, 24] },
      { fit: "crop", augment: "mild" },
    ]) {
      const store = memoryStore();
      const data = ignoring();
      const { epochs } = await run(slices2d, store, data, given);
      expect(JSON.parse(await textIn(store, "run.json")).outputs).toBe("sigmoid");
      expect(epochs.at(-1)!.dice).toHaveLength(1);
      const opened = await openRun(dev, store, slices2d);
      for await (const { labels } of segmentCases(opened, data.val, data.read)) expect(labels.data).not.toContain(9);
      opened.dispose();
    }
    await expect(run({ ...slices2d, ignores: false }, memoryStore(), ignoring())).rejects.toThrow(/has the label "ignore"/);
  });

  test("of a dataset that lists the background last: the foreground is scored", async () => {
    const [first, last] = [memoryStore(), memoryStore()];
    await run(slices2d, first, memoryData({ background: 0, ball: 1 }));
    await run(slices2d, last, memoryData({ ball: 1, background: 0 }));
    expect(await epochsIn(last)).toEqual(await epochsIn(first));
  });

  test("that are regions are trained together, written in order and scored each", async () => {
    const regions = { background: 0, all: [1, 2], second: 2 };
    const store = memoryStore();
    const data = memoryData(regions, 2);
    const { epochs } = await run(slices2d, store, data, { epochs: 12, lr: 0.02, validateEvery: 12 });
    expect(JSON.parse(await textIn(store, "run.json")).outputs).toBe("regions");
    expect(epochs.at(-1)!.dice![0]).toBeGreaterThan(0.6);
    const opened = await openRun(dev, store, slices2d);
    for await (const { labels } of segmentCases(opened, data.val.slice(0, 1), data.read))
      expect([...new Set(labels.data)].sort()).toEqual(expect.arrayContaining([0, 2]));
    opened.dispose();
  });
});
