/**
 * @file `node scripts/setup.mjs -- node --conditions=voxgrad-source app/make_model.ts`: trains the small model that the page brings along, on the page's own
 * synthetic volumes, and writes it to `public/models`. Same seed, same device, same bytes.
 */

import { mkdir, writeFile } from "node:fs/promises";
import { openDevice } from "voxgrad";
import { configure, fit, memoryStore, slices2d } from "voxgrad/seg";
import { openData } from "./worker/run_data.ts";

const folder = new URL("public/models/", import.meta.url);
const files = ["config.json", "run.json", "weights.safetensors"];

const data = (await openData({ kind: "synthetic", cases: 24, seed: 1 })).fold(0);
const recipe = Object.assign(Object.create(slices2d) as typeof slices2d, { module: undefined });
const { config, info } = await configure(recipe, data, {
  data: "synthetic",
  epochs: 20,
  batchSize: 8,
  validateEvery: 4,
  samplesPerVolume: 12,
  foreground: 0.75,
  patchSize: [64, 64],
  channels: [8, 16, 32, 48],
  numResUnits: 1,
  normalize: "scale",
  augment: "none",
  lr: 5e-3,
});
const device = await openDevice();
const store = memoryStore("balls");
await fit(recipe, {
  device,
  data,
  config,
  info,
  store,
  onEvent: (event) =>
    void (event.kind === "epoch" && console.log(event.metrics.epoch, event.metrics.loss, event.metrics.dice?.join(" "))),
});
device.close();
await mkdir(new URL("balls/", folder), { recursive: true });
for (const file of files) await writeFile(new URL(`balls/${file}`, folder), (await store.read(file))!);
const description = { en: "2-D UNet trained on synthetic volumes", zh: "在合成体数据上训练的二维 UNet" };
const index = [{ folder: "balls", name: "Balls", kind: "run", description, files }];
await writeFile(new URL("index.json", folder), `${JSON.stringify(index, null, 2)}\n`);
