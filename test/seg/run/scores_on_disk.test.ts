/** @file Scores that are kept in a file are those that are kept in memory, and the file goes. */

import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import { type HostArray, sizeOf } from "../../../src/host/array.ts";
import { OutOfMemoryError } from "../../../src/host/errors.ts";
import { Conv, manualSeed } from "../../../src/nn/index.ts";
import { decideScores, gathered, resampledScores, scoresInMemory } from "../../../src/seg/inference/score_map.ts";
import { WindowSegmenter } from "../../../src/seg/inference/segmenter.ts";
import { outputCodingOf } from "../../../src/seg/post/output_coding.ts";
import { scoresOnDisk } from "../../../src/seg/run/scores_on_disk.node.ts";
import { writeProbabilities } from "../../../src/seg/run/write_predictions.ts";
import { folderStore } from "../../../src/seg/run/folder_store.node.ts";
import { memoryStore } from "../../../src/seg/run/store.ts";
import { makeVolume, readNifti } from "../../../src/data/index.ts";
import { device } from "../../lib/device.ts";

const folder = mkdtempSync(join(tmpdir(), "voxgrad-scores-"));
afterAll(() => rmSync(folder, { recursive: true }));

const image = (...shape: number[]): HostArray<Float32Array> => ({
  data: Float32Array.from({ length: sizeOf(shape) }, (_, i) => Math.sin(0.37 * i) + Math.cos(0.011 * i)),
  shape,
});

it("gives the labels of scores in memory, also of padded images and bands of rows", async () => {
  const gpu = await device();
  manualSeed(6);
  const network = new Conv(gpu, { spatialDims: 3, inChannels: 1, outChannels: 5, kernelSize: 3, padding: 1 });
  const outputs = outputCodingOf(
    "softmax",
    [0, 1, 2, 3, 4].map((v) => ({ name: `label ${v}`, values: [v] })),
  );
  const segmenter = new WindowSegmenter(gpu, network, { outputs, roiSize: 8, overlap: 0.5, mode: "gaussian" });
  for (const size of [
    [12, 20, 9],
    [6, 11, 8],
  ]) {
    const x = image(1, ...size);
    const all = scoresInMemory(await segmenter.scores(x));
    segmenter.configure({ maxBytes: 0.75 * (await segmenter.plan(x.shape, true)).peakBytes });
    const kept = await segmenter.scoreMap(x, scoresOnDisk(folder, 0));
    expect(readdirSync(folder)).toHaveLength(process.platform === "win32" ? 1 : 0);
    expect([kept.channels, kept.shape]).toEqual([5, size]);
    expect(gathered(kept)).toEqual(gathered(all));
    const target = size.map((n) => n + 3);
    const labels = (map: typeof all) => decideScores(resampledScores(map, target, [1, 1, 1], [0.8, 0.8, 0.8]), outputs);
    expect(labels(kept)).toEqual(labels(all));
    kept.dispose();
    kept.dispose();
    segmenter.configure({ maxBytes: 2 ** 31 });
  }
  expect(readdirSync(folder)).toEqual([]);
  const stopped = segmenter.scoreMap(image(1, 20, 8, 8), scoresOnDisk(folder, 0), {
    signal: AbortSignal.abort(new Error("enough")),
  });
  await expect(stopped).rejects.toThrow("enough");
  segmenter.dispose();
  network.dispose();
});

it("keeps little in memory, and says where there is no room", () => {
  const little = scoresOnDisk(folder)(2, 3);
  little.write(3, new Float32Array([1, 2]));
  expect([...little.channel(1)]).toEqual([1, 2, 0]);
  const much = scoresOnDisk(folder, 0)(2, 3);
  much.write(3, new Float32Array([1, 2]));
  expect([...much.channel(1)]).toEqual([1, 2, 0]);
  much.dispose();
  expect(() => much.write(0, new Float32Array(3))).toThrow(OutOfMemoryError);
  writeFileSync(join(folder, "file"), "");
  expect(() => scoresOnDisk(join(folder, "file"), 0)(2, 3)).toThrow(OutOfMemoryError);
});

it("writes probabilities class by class, in pieces where the store can and in one where it cannot", async () => {
  const shape = [2, 3, 4];
  const source = { id: "a", image: makeVolume({ data: new Uint8Array(24), shape: [1, ...shape] }) };
  const all = image(3, ...shape);
  const asked: number[] = [];
  const probabilityMap = {
    channels: 3,
    shape,
    channel: (c: number) => {
      asked.push(c);
      return all.data.slice(24 * c, 24 * (c + 1));
    },
    dispose: () => {},
  };
  const [disk, memory] = [folderStore(folder), memoryStore()];
  for (const store of [disk, memory]) {
    await writeProbabilities(store, "p.nii.gz", { id: "a", source, labels: source.image, probabilityMap });
    const bytes = (await store.read("p.nii.gz"))!;
    const read = await readNifti(bytes);
    expect([read.shape, read.data]).toEqual([all.shape, all.data]);
  }
  expect(asked).toEqual([0, 1, 2, 0, 1, 2]);
  const failing = {
    ...probabilityMap,
    channel: () => {
      throw new OutOfMemoryError("no room");
    },
  };
  await expect(
    writeProbabilities(disk, "q.nii.gz", { id: "a", source, labels: source.image, probabilityMap: failing }),
  ).rejects.toThrow(OutOfMemoryError);
  expect(readdirSync(folder).filter((f) => f.includes("q.nii"))).toEqual([]);
});
