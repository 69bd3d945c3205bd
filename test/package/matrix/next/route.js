/** @file A route handler: a file and an operation on the server's device, if it has one, and a data worker. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { add, openDevice } from "voxgrad";
import { DataLoader, makeVolume } from "voxgrad/data";
import { readNiftiFile, writeNiftiFile } from "voxgrad/data/node";

export const dynamic = "force-dynamic";

const attempt = (what) => what().catch(String);

export async function GET() {
  const folder = mkdtempSync(join(tmpdir(), "voxgrad-"));
  const file = join(folder, "v.nii.gz");
  await writeNiftiFile(file, makeVolume({ data: Float32Array.of(1, 2, 3, 4), shape: [1, 1, 2, 2] }));
  const { data } = await readNiftiFile(file);
  rmSync(folder, { recursive: true });
  const sum = await attempt(async () => {
    const device = await openDevice();
    const value = await add(device.tensor({ data: [1], shape: [1] }), 1).item();
    device.close();
    return value;
  });
  const loaded = await attempt(async () => {
    const loader = new DataLoader({ module: process.env.DATASET, args: { factor: 2 } }, { batchSize: 3, numWorkers: 1 });
    const values = [];
    for await (const { x } of loader) values.push(...x.data);
    await loader.close();
    return values;
  });
  return Response.json({ data: [...data], sum, loaded });
}
