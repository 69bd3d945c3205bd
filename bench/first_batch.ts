/**
 * @file How long the first batch of the recipe "nodules" takes from a folder of LUNA16's size, and how large its index is. `node bench/first_batch.ts
 * [--scans 888] [--size 128,128,128]`: eight scans that differ under as many names as asked for, so that the disk holds some 40 MB.
 */

import { mkdtemp, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { writeChests } from "../scripts/synthetic_chest.ts";
import { lunaCacheFile } from "../src/data/index.node.ts";
import { DataLoader, type Item } from "../src/data/index.ts";
import { configure, contextOf, nodules } from "../src/seg/index.ts";
import { FolderData } from "../src/seg/index.node.ts";
import { PreparedCases } from "../src/seg/recipes/prepared.ts";

const { values } = parseArgs({
  options: { scans: { type: "string", default: "888" }, size: { type: "string", default: "128,128,128" } },
});
const folder = await mkdtemp(join(tmpdir(), "voxgrad-bench-"));

async function firstBatch(numWorkers: number): Promise<string> {
  const times = [performance.now()];
  const lap = () => times.push(performance.now());
  const data = await (await FolderData.open(folder)).fold(0);
  lap();
  const { config, info } = await configure(nodules, data, { data: folder, numWorkers });
  lap();
  const context = contextOf(nodules, config, info);
  const settings = { batchSize: config.batchSize, numWorkers };
  const cacheBytes = config.cacheSize * 2 ** 30;
  const cases = new PreparedCases(nodules, context, data.train, data.read, cacheBytes);
  const args = { recipe: nodules.module!, cases: data.train, config, info, network: "model", cacheBytes };
  const loader = new DataLoader(numWorkers > 0 ? data.inWorkers!(args) : nodules.samples(cases, context, "model"), settings);
  for await (const batch of loader.epoch(0)) {
    lap();
    const { shape } = (batch as unknown as Item & { image: { shape: number[] } }).image;
    await loader.close();
    const seconds = times.map((t, i) => ((t - times[Math.max(0, i - 1)]) / 1000).toFixed(2));
    return `index ${seconds[1]} s, configure ${seconds[2]} s, first batch [${shape}] ${seconds[3]} s, in all ${((times[3] - times[0]) / 1000).toFixed(2)} s`;
  }
  throw new Error("no batch");
}

try {
  const listed = await writeChests(folder, {
    scans: Number(values.scans),
    size: values.size.split(",").map(Number),
    distinct: 8,
  });
  console.log(`${listed.size} scans of ${values.size} with ${[...listed.values()].flat().length} nodules`);
  console.log(`first time:     ${await firstBatch(0)}`);
  console.log(`index kept:     ${await firstBatch(0)}`);
  console.log(`two workers:    ${await firstBatch(2)}`);
  console.log(`the kept index: ${((await stat(join(folder, lunaCacheFile))).size / 2 ** 20).toFixed(2)} MiB`);
} finally {
  await rm(folder, { recursive: true });
}
