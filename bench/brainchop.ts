/**
 * @file `node scripts/setup.mjs -- node --conditions=voxgrad-source bench/brainchop.ts [--data DIR] [--model NAME] [--memory SIZE]`: brainchop's MeshNet models
 * on a whole head of 256³ voxels, layer by layer: time, agreement of the labels and of a crop of the logits with the reference outputs. With --memory, such as
 * 400MiB, in windows whose cores tile the head instead, and what was planned and on the device at most.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { readNiftiFile } from "../src/data/index.node.ts";
import type { HostArray } from "../src/host/array.ts";
import { formatBytes, parseBytes } from "../src/host/text.ts";
import { argmax, type Device, noGrad, openDevice, scope, type Tensor } from "../src/index.ts";
import { layersModel, type Module } from "../src/nn/index.ts";
import { CoreWindows } from "../src/seg/inference/core_windows.ts";
import { brainchopInput } from "../src/seg/index.ts";
import { readTfjs } from "../src/weights/index.ts";

const { values } = parseArgs({ options: { data: { type: "string" }, model: { type: "string" }, memory: { type: "string" } } });
const folder = values.data ?? fileURLToPath(new URL("../../shared/data/brainchop", import.meta.url));
const names = values.model === undefined ? ["model5_gw_ae", "model11_gw_ae"] : [values.model];
const maxBytes = values.memory === undefined ? undefined : parseBytes(values.memory);
const CROP = { first: 120, size: 16 };

/** Values of a float32 .npy file. */
function readNpy(path: string): Float32Array {
  const bytes = readFileSync(path);
  return new Float32Array(new Uint8Array(bytes.subarray(10 + bytes.readUInt16LE(8))).buffer);
}

/** The model without gradients, each intermediate freed as soon as the next one exists. */
function layerwise(model: Module, x: Tensor): Tensor {
  let y = x;
  for (const [, layer] of model.children()) {
    const next = noGrad(() => scope(() => layer.forward(y)));
    if (y !== x && next !== y) y.dispose();
    y = next;
  }
  return y;
}

/** Labels by windows that take so much, and voxels that differ from the reference. */
async function inWindows(
  device: Device,
  model: Module,
  input: HostArray,
  truth: HostArray["data"],
  maxBytes: number,
): Promise<number> {
  const windows = new CoreWindows(device, model, { maxBytes });
  const image = { data: input.data, shape: input.shape.slice(1) };
  const plan = await windows.plan(image.shape);
  console.log(
    `  ${plan.windows} windows [${plan.window}], ${plan.work.toFixed(2)} times the work, planned ${formatBytes(plan.peakBytes)}`,
  );
  const started = performance.now();
  let most = 0;
  const look = () => (most = Math.max(most, device.memoryReport().total - device.memoryReport().pooled));
  const { data } = await windows.run(image, { onProgress: look });
  const seconds = (performance.now() - started) / 1000;
  windows.dispose();
  let differ = 0;
  for (let i = 0; i < truth.length; i++) differ += Number(data[i] !== truth[i]);
  console.log(`  ${seconds.toFixed(1)} s, ${differ} of ${truth.length} voxels differ, ${formatBytes(most)} on the device`);
  return differ;
}

const device = await openDevice();
console.log(`adapter: ${device.name}`);
const input = brainchopInput(await readNiftiFile(join(folder, "t1_crop.nii.gz")));
let failed = false;
for (const name of names) {
  const at = (file: string) => join(folder, "models", name, file);
  const model = layersModel(
    device,
    await readTfjs(readFileSync(at("model.json")), async (path) => readFileSync(at(path)), at("model.json")),
  );
  const truth = (await readNiftiFile(join(folder, "reference", `${name}_argmax.nii.gz`))).data;
  if (maxBytes !== undefined) {
    console.log(name);
    failed ||= (await inWindows(device, model, input, truth, maxBytes)) / truth.length > 1e-4;
    model.dispose();
    continue;
  }
  const x = device.tensor(input);
  await device.settle();
  const started = performance.now();
  const logits = layerwise(model, x);
  const labels = argmax(logits, 1);
  const predicted = await labels.data();
  const seconds = (performance.now() - started) / 1000;

  let same = 0;
  for (let i = 0; i < truth.length; i++) if (predicted[i] === truth[i]) same++;
  const reference = readNpy(join(folder, "reference", `${name}_logits_crop_120_136.npy`));
  const values = await logits.data();
  const [, , nx, ny, nz] = logits.shape;
  let worst = 0;
  reference.forEach((v, i) => {
    const [c, dx, dy, dz] = [Math.floor(i / CROP.size ** 3), (i >> 8) & 15, (i >> 4) & 15, i & 15];
    const place = ((c * nx + CROP.first + dx) * ny + CROP.first + dy) * nz + CROP.first + dz;
    worst = Math.max(worst, Math.abs(v - values[place]));
  });
  const agreement = same / truth.length;
  failed ||= agreement < 0.9999 || worst > 1e-4;
  console.log(
    `${name}: ${seconds.toFixed(1)} s for [${input.shape}], labels agree ${(100 * agreement).toFixed(4)} % (${truth.length - same} voxels differ), ` +
      `logits of the crop within ${worst.toExponential(2)}`,
  );
  for (const t of [x, logits, labels]) t.dispose();
  model.dispose();
}
device.close();
process.exitCode = failed ? 1 : 0;
