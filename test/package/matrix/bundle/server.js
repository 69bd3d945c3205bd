/** @file A server's program, bundled whole: an operation on the device, a file, a data worker on a dataset that stays outside. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { add, openDevice } from "voxgrad";
import { DataLoader, makeVolume } from "voxgrad/data";
import { readNiftiFile, writeNiftiFile } from "voxgrad/data/node";

const device = await openDevice();
const sum = await add(device.tensor({ data: [1, 2], shape: [2] }), 1).data();
device.close();

const folder = mkdtempSync(join(tmpdir(), "voxgrad-"));
const file = join(folder, "v.nii.gz");
await writeNiftiFile(file, makeVolume({ data: Float32Array.of(1, 2, 3, 4), shape: [1, 1, 2, 2] }));
const { data } = await readNiftiFile(file);
rmSync(folder, { recursive: true });

const loader = new DataLoader({ module: process.argv[2], args: { factor: 2 } }, { batchSize: 3, numWorkers: 1 });
let loaded;
try {
  for await (const { x } of loader) loaded = [...x.data];
} catch (error) {
  loaded = String(error);
}
await loader.close();
console.log(JSON.stringify({ sum: [...sum], data: [...data], loaded }));
