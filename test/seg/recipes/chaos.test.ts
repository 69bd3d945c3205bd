/** @file The recipe "chaos" on a small folder in CHAOS's layout: it learns, keeps patients apart, leaves out bad steps, and a run that stops goes on in every bit. */

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { amax, ConfigError, type Device, mul, NonFiniteError } from "../../../src/index.ts";
import { chaos, configure, fit, memoryStore, openRun, type Recipe, type RunStore, segmentCases } from "../../../src/seg/index.ts";
import { FolderData } from "../../../src/seg/index.node.ts";
import { writeChaosFolder } from "../../lib/chaos_folder.ts";
import { device } from "../../lib/device.ts";

let gpu: Device;
const dir = mkdtempSync(join(tmpdir(), "voxgrad-chaos-"));
beforeAll(async () => {
  gpu = await device();
  await writeChaosFolder(dir, { patients: [1, 2, 3, 5, 8], size: [32, 32, 4] });
});
afterAll(() => rmSync(dir, { recursive: true }));

const tiny = {
  data: "memory",
  numWorkers: 0,
  epochs: 2,
  batchSize: 4,
  validateEvery: 2,
  network: "unet",
  channels: [8, 16, 16],
  numResUnits: 1,
  lr: 1e-2,
  lrEvery: 8,
};

async function run(
  store: RunStore,
  given: object,
  { recipe = chaos as Recipe, ...more }: { recipe?: Recipe; resume?: boolean } = {},
) {
  const data = await (await FolderData.openFor(dir, recipe, given)).fold(0);
  const { config, info } = await configure(recipe, data, { ...tiny, ...given });
  return { data, info, result: await fit(recipe, { device: gpu, data, store, config, info, ...more }) };
}

/** Stops after so many steps. */
function stopAfter(count: number) {
  const stop = new AbortController();
  let steps = 0;
  const onEvent = (event: { kind: string; state?: { label: string } }) => {
    if (event.kind === "progress" && event.state?.label.startsWith("epoch") && ++steps === count) stop.abort();
  };
  return { signal: stop.signal, onEvent };
}

test("learns the liver", async () => {
  const store = memoryStore();
  const { data, info, result } = await run(store, { epochs: 12, validateEvery: 12, augment: "none", lr: 2e-2 });
  expect([info.channels, info.outputs]).toEqual([["T1 in-phase"], "sigmoid"]);
  const opened = await openRun(gpu, store, chaos);
  for await (const { id, dice } of segmentCases(opened, data.val, data.read)) {
    expect(id).toMatch(/^MR_\d_T1DUAL$/);
    expect(dice![0]).toBeGreaterThan(0.6);
  }
  opened.dispose();
  expect(result.epochs.at(-1)!.loss).toBeLessThan(0.4 * result.epochs[0].loss);
});

test.each([
  [
    "several organs of T1 and T2, milesial",
    { sequence: "MR", organs: ["liver", "spleen"], network: "milesial", channels: [4, 8], alpha: 0.7 },
  ],
  ["both phases, resized, labeled slices", { phases: "both", fit: "resize", patchSize: [16, 16], slices: "labeled" }],
  ["a gray range, smaller patches", { organs: ["kidneys=110-200"], patchSize: [16, 16], normalize: "zscore" }],
])("%s", async (_name, given) => {
  const store = memoryStore();
  const { data, result } = await run(store, { ...given, epochs: 1, validateEvery: 1 });
  expect(result.epochs[0].skipped).toBe(0);
  const opened = await openRun(gpu, store, chaos);
  for await (const { labels } of segmentCases(opened, data.val.slice(0, 1), data.read))
    expect(labels.shape).toEqual([1, 32, 32, 4]);
  opened.dispose();
});

test("labeled slices alone, also as 0.1.0 spelled them", async () => {
  const lossOf = async (slices: string) => {
    const { result } = await run(memoryStore(), { epochs: 1, validateEvery: 1, augment: "none", organs: ["spleen"], slices });
    return result.epochs[0].loss;
  };
  const labeled = await lossOf("labeled");
  expect(await lossOf("labelled")).toBe(labeled);
  expect(await lossOf("all")).not.toBe(labeled);
  await expect(lossOf("some")).rejects.toThrow(/slices must be "all" or "labeled"/);
});

test("no fold has a patient in both parts", async () => {
  const folder = await FolderData.openFor(dir, chaos, { sequence: "MR", phases: "each" });
  const held: string[] = [];
  for (let fold = 0; fold < 5; fold++) {
    const { train, val } = await folder.fold(fold);
    const patients = new Set(train.map((c) => c.patient));
    expect(val.filter((c) => patients.has(c.patient))).toEqual([]);
    expect([train.length, val.length]).toEqual([12, 3]);
    held.push(...new Set(val.map((c) => c.patient!)));
  }
  expect(held.sort()).toEqual(["MR_1", "MR_2", "MR_3", "MR_5", "MR_8"]);
});

test("a run that stopped is the run that did not, skipped steps counted once", async () => {
  // Nothing labeled: a loss of zero.
  const recipe = {
    ...chaos,
    module: undefined,
    loss: (...[output, batch, context, network]: Parameters<typeof chaos.loss>) =>
      mul(chaos.loss(output, batch, context, network), amax(batch.label)),
  } as unknown as Recipe;
  const given = { batchSize: 1, samplesPerVolume: 4, augment: "none", organs: ["spleen"] };
  const whole = memoryStore();
  const { result } = await run(whole, given, { recipe });
  expect(result.epochs[0].skipped).toBeGreaterThan(0);
  expect(result.epochs[0].skipped).toBeLessThan(16);
  expect(result.epochs[0].loss).toBeGreaterThan(0);
  const stopped = memoryStore();
  expect((await run(stopped, given, { recipe, ...stopAfter(11) })).result.finished).toBe(false);
  const resumed = await run(stopped, given, { recipe, resume: true });
  const counts = (r: typeof result) => r.epochs.map(({ loss, skipped }) => ({ loss, skipped }));
  expect(counts(resumed.result)).toEqual(counts(result));
  for (const file of ["weights.safetensors", "best.safetensors", "checkpoint.safetensors"])
    expect(await stopped.read(file), file).toEqual(await whole.read(file));
  const none = { ...recipe, loss: (...args: Parameters<typeof chaos.loss>) => mul(chaos.loss(...args), 0) } as unknown as Recipe;
  await expect(run(memoryStore(), given, { recipe: none })).rejects.toThrow(NonFiniteError);
});

test("options that do not go together are refused", async () => {
  const check = (given: object) => run(memoryStore(), given);
  await expect(check({ patchSize: [32, 30] })).rejects.toThrow(/multiples of 4/);
  await expect(check({ patchSize: [32, 16] })).rejects.toThrow(/must be square/);
  await expect(check({ network: "milesial", channels: [8, 8] })).rejects.toThrow(/must double/);
  await expect(check({ sequence: "CT" })).rejects.toThrow(/has no CT; it has T1DUAL, T2SPIR/);
  await expect(check({ alpha: 2 })).rejects.toThrow(ConfigError);
});
