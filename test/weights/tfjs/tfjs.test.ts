/** @file TensorFlow.js layers models: values against PyTorch, quantised weights, damaged files. */
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { FormatError } from "../../../src/host/errors.ts";
import { readTfjs, tfjsLayers, tfjsStateDict } from "../../../src/weights/index.ts";
import { expected, expectTensors, folder, openTfjs } from "../fixtures.ts";

test("weights come out as PyTorch has them", async () => {
  expectTensors(tfjsStateDict(tfjsLayers(await openTfjs("mesh"))), expected.mesh, false);
});

test.each([
  ["mesh_f16", 2 ** -10],
  ["mesh_u16", 1 / 65535],
  ["mesh_u8", 1 / 255],
])("%s: quantised weights are within a step of the truth", async (name, step) => {
  const got = tfjsStateDict(tfjsLayers(await openTfjs(name)));
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
