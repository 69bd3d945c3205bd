/** An ONNX file as a module that computes and trains: `node examples/import_onnx.ts [MODEL.onnx]`; without a file a UNet is exported first. */
import { readFile } from "node:fs/promises";
import { noGrad, openDevice } from "voxgrad";
import { manualSeed } from "voxgrad/nn";
import { exportOnnx, importOnnx, inspectOnnx } from "voxgrad/onnx";
import { UNet } from "voxgrad/seg";

const device = await openDevice();
const [path] = process.argv.slice(2);
manualSeed(1);
const unet = new UNet(device, { spatialDims: 2, inChannels: 1, outChannels: 2, channels: [4, 8], strides: [2] });
// Axis 0 is left open, so that the file takes batches of any size; other tools read it as it is.
const bytes = path === undefined ? await exportOnnx(unet, [1, 1, 32, 32], { dynamicAxes: [0] }) : await readFile(path);

const { inputs, outputs } = inspectOnnx(bytes);
for (const { name, shape } of [...inputs, ...outputs]) console.log(name, shape);

const model = importOnnx(device, bytes);
console.log(model.parameterCount, "parameters"); // model.parameters() go to an optimizer like those of any module
const shape = inputs[0]!.shape!.map((n, i) => (typeof n === "number" ? n : i === 0 ? 2 : 32));
const size = shape.reduce((a, b) => a * b, 1);
const x = device.tensor({ data: Float32Array.from({ length: size }, (_, i) => Math.sin(i)), shape });
const y = noGrad(() => model.forward(x));
console.log(String(y));
if (path === undefined) {
  unet.eval();
  const [a, b] = await Promise.all([y.data(), noGrad(() => unet.forward(x)).data()]);
  console.log(
    "largest difference to the module it came from:",
    Math.max(...a.map((v, i) => Math.abs(v - b[i]!))).toExponential(0),
  );
}
device.close();
