/**
 * @file Writes every network of networks.ts and function of functions.ts as ONNX with an input and our output beside it, for test/fixtures/check_onnx.py:
 * `node --conditions=voxgrad-source test/onnx/export_networks.ts FOLDER [NAME PART]`.
 */

import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { noGrad, openDevice, sizeOf } from "../../src/index.ts";
import { writeSafetensors } from "../../src/weights/index.ts";
import { exportOnnx } from "../../src/onnx/index.ts";
import { functions, Lambda } from "./functions.ts";
import { fill, type Network, networks } from "./networks.ts";

const [folder, part = ""] = process.argv.slice(2);
mkdirSync(folder, { recursive: true });
const device = await openDevice();
const more = Object.entries(functions).map(([name, fn]): Network => ({ name, shape: [2, 4, 6, 8], make: () => new Lambda(fn) }));
for (const { name, shape, dynamicAxes, make } of [...networks, ...more].filter((n) => n.name.includes(part))) {
  try {
    const net = make(device).eval();
    fill(net);
    const file = join(folder, name.replaceAll(/\W+/g, "_"));
    writeFileSync(`${file}.onnx`, await exportOnnx(net, shape, { dynamicAxes, device }));
    // On the open axes another size than that of the export.
    const runs = [shape, ...(dynamicAxes ? [shape.map((d, i) => (dynamicAxes.includes(i) ? 2 * d : d))] : [])];
    for (const [i, size] of runs.entries()) {
      const x = { data: Float32Array.from({ length: sizeOf(size) }, (_, k) => Math.cos(0.37 * k)), shape: size };
      const y = noGrad(() => net.forward(device.tensor(x)));
      const tensors = new Map([
        ["input", x],
        ["output", { data: await y.data(), shape: y.shape }],
      ]);
      writeFileSync(`${file}.${i}.safetensors`, writeSafetensors(tensors));
    }
    net.dispose();
  } catch (e) {
    console.log(`${name}: ${String(e)}`);
  }
}
device.close();
