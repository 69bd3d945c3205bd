/** @file Without a GPU: a volume to a file and back, weights to bytes and back, a data worker. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DataLoader, makeVolume } from "voxgrad/data";
import { readNiftiFile, writeNiftiFile } from "voxgrad/data/node";
import { readWeights, writeSafetensors } from "voxgrad/weights";

const folder = mkdtempSync(join(tmpdir(), "voxgrad-"));
const file = join(folder, "v.nii.gz");
await writeNiftiFile(file, makeVolume({ data: Float32Array.of(1, 2, 3, 4), shape: [1, 1, 2, 2] }));
const { data } = await readNiftiFile(file);
rmSync(folder, { recursive: true });

const { tensors } = await readWeights(writeSafetensors(new Map([["w", { data: Float32Array.of(0.5, -2), shape: [2] }]])));

const module = new URL("./dataset.js", import.meta.url);
const loader = new DataLoader({ module, args: { factor: 2 } }, { batchSize: 3, numWorkers: 1 });
const loaded = [];
for await (const { x } of loader) loaded.push(...x.data);
await loader.close();
console.log(JSON.stringify({ data: [...data], weights: [...tensors.get("w").data], loaded }));
