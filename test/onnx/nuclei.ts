/**
 * @file A published model (bioimage.io, UNet 2D Nuclei Broad) against its authors' output:
 * `node --conditions=voxgrad-source test/onnx/nuclei.ts FOLDER [OUT]`. With OUT the model is exported again, for test/fixtures/check_onnx.py.
 */

import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { noGrad, openDevice, scope } from "../../src/index.ts";
import { writeSafetensors } from "../../src/weights/index.ts";
import { exportOnnx, importOnnx } from "../../src/onnx/index.ts";

const [folder, out] = process.argv.slice(2);
const shape = [1, 1, 512, 512];

/** The float32 values of a .npy file. */
function npy(name: string): Float32Array {
  const bytes = readFileSync(join(folder, name));
  return new Float32Array(new Uint8Array(bytes.subarray(10 + bytes.readUInt16LE(8))).buffer);
}

/** As the model's description asks: zero mean and unit variance. */
function normalized(x: Float32Array): Float32Array {
  const mean = x.reduce((a, v) => a + v, 0) / x.length;
  const deviation = Math.sqrt(x.reduce((a, v) => a + (v - mean) ** 2, 0) / x.length) + 1e-6;
  return x.map((v) => (v - mean) / deviation);
}

const device = await openDevice();
const model = importOnnx(device, readFileSync(join(folder, "weights.onnx")));
const input = { data: normalized(npy("test_input.npy")), shape };
const want = npy("test_output.npy");
const logits = await scope(() => noGrad(() => model.forward(device.tensor(input)))).data();
let worst = 0;
logits.forEach((v: number, i: number) => (worst = Math.max(worst, Math.abs(1 / (1 + Math.exp(-v)) - want[i]))));
console.log(`${device.name}: largest difference of the probabilities from the authors' ${worst.toExponential(2)}`);
if (out) {
  mkdirSync(out, { recursive: true });
  writeFileSync(join(out, "nuclei.onnx"), await exportOnnx(model, shape));
  const pair = new Map([
    ["input", input],
    ["output", { data: logits, shape }],
  ]);
  writeFileSync(join(out, "nuclei.0.safetensors"), writeSafetensors(pair));
}
device.close();
if (!(worst < 1e-5)) process.exitCode = 1;
