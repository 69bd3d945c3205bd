/** @file TensorFlow.js layers models: values against PyTorch, quantised weights, damaged files, and brainchop's models on a crop of a head. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { readNiftiFile } from "../../../src/data/index.node.ts";
import { noGrad } from "../../../src/index.ts";
import { layersModel } from "../../../src/nn/index.ts";
import { brainchopInput } from "../../../src/seg/index.ts";
import { DataError, FormatError } from "../../../src/host/errors.ts";
import type { HostArray } from "../../../src/host/array.ts";
import { readTfjs, tfjsLayers, tfjsStateDict } from "../../../src/weights/index.ts";
import { device } from "../../lib/device.ts";
import { expected, expectTensors, folder } from "../fixtures.ts";

const open = (name: string, at = fileURLToPath(folder)) =>
  readTfjs(readFileSync(join(at, name, "model.json")), async (path) => readFileSync(join(at, name, path)), name);

const wave = (shape: readonly number[]): HostArray => {
  const size = shape.reduce((a, b) => a * b, 1);
  return { data: Float32Array.from({ length: size }, (_, i) => Math.sin(0.37 * (i + 1))), shape };
};

test("weights come out as PyTorch has them, and the module computes the same", async () => {
  const model = await open("mesh");
  expectTensors(tfjsStateDict(tfjsLayers(model)), expected.mesh, false);
  const gpu = await device();
  const net = layersModel(gpu, model);
  const { shape, data } = expected.mesh.output!;
  const out = noGrad(() => net.forward(gpu.tensor(wave([1, 1, 6, 5, 4]))));
  expect(out.shape).toEqual(shape);
  const got = await out.data();
  expect(Math.max(...data.map((v, i) => Math.abs(v - got[i])))).toBeLessThan(1e-5);
  net.dispose();
});

test.each([
  ["mesh_f16", 2 ** -10],
  ["mesh_u16", 1 / 65535],
  ["mesh_u8", 1 / 255],
])("%s: quantised weights are within a step of the truth", async (name, step) => {
  const got = tfjsStateDict(tfjsLayers(await open(name)));
  for (const [key, , , values] of expected.mesh.tensors) {
    const width = Math.max(...values) - Math.min(...values);
    const scale = name === "mesh_f16" ? Math.max(...values.map(Math.abs)) : width;
    const worst = Math.max(...values.map((v, i) => Math.abs(v - got.get(key)!.data[i])));
    expect(worst, key).toBeLessThanOrEqual(0.51 * step * scale + 1e-7);
  }
});

describe("damaged models", () => {
  const original = JSON.parse(readFileSync(new URL("mesh/model.json", folder), "utf8"));
  const bytes = readFileSync(new URL("mesh/group1-shard1of2.bin", folder));
  const layer = (m: any, i: number) => m.modelTopology.model_config.config.layers[i];
  const weight = (m: any, i: number) => m.weightsManifest[0].weights[i];
  test.each<[string, (model: any) => void, RegExp]>([
    ["a graph model", (m) => (m.format = "graph-model"), /graph models are not supported/],
    ["no topology", (m) => delete m.modelTopology, /no class_name/],
    ["a shard outside", (m) => (m.weightsManifest[0].paths[0] = "../../../../etc/passwd"), /does not stay in the model's folder/],
    ["a shard elsewhere", (m) => (m.weightsManifest[0].paths[0] = "http://example.org/w.bin"), /does not stay/],
    ["a shard missing from the list", (m) => m.weightsManifest[0].paths.pop(), /cut short/],
    ["a weight too many", (m) => m.weightsManifest[0].weights.push({ name: "x", shape: [1], dtype: "float32" }), /cut short/],
    ["a weight too few", (m) => m.weightsManifest[0].weights.pop(), /belong to no weight/],
    ["a weight twice", (m) => (weight(m, 1).name = weight(m, 0).name), /that of another/],
    ["a shape that promises much", (m) => (weight(m, 0).shape = [2 ** 40, 2 ** 40]), /its bytes end at/],
    ["a negative shape", (m) => (weight(m, 0).shape = [-3]), /expected a list of sizes/],
    ["a type that is not read", (m) => (weight(m, 0).dtype = "string"), /dtype "string" is not supported/],
    [
      "an unknown layer",
      (m) => (layer(m, 3).class_name = "Lambda"),
      /layer "a1" \(Lambda\): this kind of layer is not supported/,
    ],
    ["an unknown activation", (m) => (layer(m, 3).config.activation = "evil"), /activation "evil"/],
    ["a branch", (m) => (layer(m, 6).inbound_nodes = [[["a1", 0, 0, {}]]]), /branch/],
    ["a layer that nothing feeds", (m) => (layer(m, 4).inbound_nodes = [[["nobody", 0, 0, {}]]]), /one chain/],
    ["a stride with same padding", (m) => (layer(m, 1).config.strides = [2, 2, 2]), /stride 1 only/],
    ["a kernel of another rank", (m) => (layer(m, 1).class_name = "Conv2D"), /a kernel with 4 axes/],
    ["a layer twice", (m) => m.modelTopology.model_config.config.layers.push(layer(m, 6)), /branch/],
  ])("%s", async (_, damage, message) => {
    const model = structuredClone(original);
    damage(model);
    const reading = (async () => {
      const read = await readTfjs(new TextEncoder().encode(JSON.stringify(model)), async (path) => {
        if (!path.startsWith("group1")) throw new Error(`asked for ${path}`);
        return path.includes("1of2") ? bytes : readFileSync(new URL(`mesh/${path}`, folder));
      });
      return tfjsLayers(read);
    })();
    await expect(reading).rejects.toThrow(message);
    await expect(reading).rejects.toThrow(FormatError);
  });
});

test("brainchop's preprocessing", () => {
  const volume = { data: Uint8Array.from({ length: 24 }, (_, i) => i + 10), shape: [1, 2, 3, 4] };
  const plain = brainchopInput(volume);
  expect([plain.shape, plain.data[0], plain.data[23], plain.data[1]]).toEqual([[1, 1, 2, 3, 4], 0, 1, Math.fround(1 / 23)]);
  const turned = brainchopInput(volume, { transpose: false });
  expect([turned.shape, turned.data[1], turned.data[2]]).toEqual([[1, 1, 4, 3, 2], plain.data[12], plain.data[4]]);
  // Of 24 values the quantiles are those at places 1 and 22.
  const { data } = brainchopInput(volume, { quantileNorm: true });
  expect([data[1], data[22], data[0], data[23]]).toEqual([0, 1, Math.fround(-1 / 21), Math.fround(22 / 21)]);
  expect(() => brainchopInput({ data: new Uint8Array(8), shape: [2, 2, 2] })).toThrow(DataError);
});

const BRAINCHOP = join(
  process.env.VOXGRAD_DATA ?? fileURLToPath(new URL("../../../../shared/data", import.meta.url)),
  "brainchop",
);
const CROP = { first: 120, size: 16 };

/** Voxels `first − reach … first + size + reach − 1` of each axis of `[1, 1, n, n, n]`. */
function cropped({ data, shape }: HostArray, reach: number): HostArray {
  const [n, from, size] = [shape[4], CROP.first - reach, CROP.size + 2 * reach];
  const out = new Float32Array(size ** 3);
  for (let x = 0; x < size; x++)
    for (let y = 0; y < size; y++) {
      const start = ((from + x) * n + from + y) * n + from;
      out.set(data.subarray(start, start + size) as Float32Array, (x * size + y) * size);
    }
  return { data: out, shape: [1, 1, size, size, size] };
}

/** Values of a float32 .npy file. */
const npy = (path: string) => {
  const bytes = readFileSync(path);
  return new Float32Array(new Uint8Array(bytes.subarray(10 + bytes.readUInt16LE(8))).buffer);
};

// The logits of a crop depend on the voxels within the sum of all dilations: with as many around it, the crop alone gives them exactly.
test.skipIf(!existsSync(BRAINCHOP))(
  "model11_gw_ae gives the reference's logits on a crop of the head",
  { timeout: 60_000 },
  async () => {
    const model = await open("model11_gw_ae", join(BRAINCHOP, "models"));
    const layers = tfjsLayers(model);
    const reach = layers.reduce(
      (r, l) => r + (l.kind === "conv" && l.options.kernelSize[0] === 3 ? l.options.dilation[0] : 0),
      0,
    );
    const gpu = await device();
    const net = layersModel(gpu, model);
    const head = brainchopInput(await readNiftiFile(join(BRAINCHOP, "t1_crop.nii.gz")));
    const out = noGrad(() => net.forward(gpu.tensor(cropped(head, reach))));
    const [, classes, size] = out.shape;
    const got = await out.data();
    const truth = npy(join(BRAINCHOP, "reference", "model11_gw_ae_logits_crop_120_136.npy"));
    expect(truth.length).toBe(classes * CROP.size ** 3);
    let worst = 0;
    truth.forEach((v, i) => {
      const [c, x, y, z] = [Math.floor(i / 4096), (i >> 8) & 15, (i >> 4) & 15, i & 15];
      worst = Math.max(worst, Math.abs(v - got[((c * size + x + reach) * size + y + reach) * size + z + reach]));
    });
    expect(worst).toBeLessThan(1e-4);
    net.dispose();
  },
);
