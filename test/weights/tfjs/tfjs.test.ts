/** @file TensorFlow.js layers models: values against PyTorch, quantized weights, damaged files. */
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
])("%s: quantized weights are within a step of the truth", async (name, step) => {
  const got = tfjsStateDict(tfjsLayers(await openTfjs(name)));
  for (const [key, , , values] of expected.mesh.tensors) {
    const width = Math.max(...values) - Math.min(...values);
    const scale = name === "mesh_f16" ? Math.max(...values.map(Math.abs)) : width;
    const worst = Math.max(...values.map((v, i) => Math.abs(v - got.get(key)!.data[i])));
    expect(worst, key).toBeLessThanOrEqual(0.51 * step * scale + 1e-7);
  }
});

test("of a graph model the weights are read by name, and types that are not read are passed over", async () => {
  const weights = [
    { name: "StatefulPartitionedCall/model/c1/Conv2D/ReadVariableOp", shape: [2], dtype: "float32" },
    { name: "labels", shape: [2], dtype: "string" },
    { name: "rotation", shape: [1], dtype: "complex64" },
    { name: "axis", shape: [], dtype: "int32" },
  ];
  const text = (length: number) => [length, 0, 0, 0, ...new Array<number>(length).fill(65)];
  const bytes = Buffer.concat([
    Buffer.from(Float32Array.of(1.5, -2).buffer),
    Uint8Array.from([...text(3), ...text(0)]),
    Buffer.from(Float32Array.of(1, 2).buffer),
    Buffer.from(Int32Array.of(-1).buffer),
  ]);
  const json = {
    format: "graph-model",
    modelTopology: { node: [{ name: "x", op: "Placeholder" }] },
    weightsManifest: [{ paths: ["w.bin"], weights }],
  };
  const model = await readTfjs(new TextEncoder().encode(JSON.stringify(json)), async () => bytes);
  expect([...model.weights].map(([name, t]) => [name, t.dtype, Array.from(t.data)])).toEqual([
    [weights[0].name, "F32", [1.5, -2]],
    ["axis", "I32", [-1]],
  ]);
  expect(model.skipped.map(({ name, reason }) => [name, reason])).toEqual([
    ["labels", "its dtype string is not supported"],
    ["rotation", "its dtype complex64 is not supported"],
  ]);
  expect(() => tfjsLayers(model)).toThrow(/graph model/);
});

describe("damaged models", () => {
  const original = JSON.parse(readFileSync(new URL("mesh/model.json", folder), "utf8"));
  const bytes = readFileSync(new URL("mesh/group1-shard1of2.bin", folder));
  const layer = (m: any, i: number) => m.modelTopology.model_config.config.layers[i];
  const weight = (m: any, i: number) => m.weightsManifest[0].weights[i];
  test.each<[string, (model: any) => void, RegExp]>([
    ["a graph model", (m) => (m.format = "graph-model"), /this is a graph model, which importTfjsGraph of voxgrad\/onnx reads/],
    ["a graph model that does not say so", (m) => ((m.modelTopology = { node: [] }), delete m.format), /this is a graph model/],
    ["no topology", (m) => delete m.modelTopology, /no class_name/],
    ["a shard outside", (m) => (m.weightsManifest[0].paths[0] = "../../../../etc/passwd"), /does not stay in the model's folder/],
    ["a shard elsewhere", (m) => (m.weightsManifest[0].paths[0] = "http://example.org/w.bin"), /does not stay/],
    ["a shard missing from the list", (m) => m.weightsManifest[0].paths.pop(), /cut short/],
    ["a weight too many", (m) => m.weightsManifest[0].weights.push({ name: "x", shape: [1], dtype: "float32" }), /cut short/],
    ["a weight too few", (m) => m.weightsManifest[0].weights.pop(), /belong to no weight/],
    ["a weight twice", (m) => (weight(m, 1).name = weight(m, 0).name), /that of another/],
    ["a shape that promises much", (m) => (weight(m, 0).shape = [2 ** 40, 2 ** 40]), /its bytes end at/],
    ["a negative shape", (m) => (weight(m, 0).shape = [-3]), /expected a list of sizes/],
    ["a type that is not read", (m) => (weight(m, 0).dtype = "float8"), /dtype "float8" is not supported/],
    ["texts without end", (m) => (weight(m, 0).dtype = "string"), /cut short/],
    [
      "an unknown layer",
      (m) => (layer(m, 3).class_name = "Lambda"),
      /layer "a1" \(Lambda\): this kind of layer is not supported/,
    ],
    ["an unknown activation", (m) => (layer(m, 3).config.activation = "evil"), /activation "evil"/],
    [
      "a layer that nothing feeds",
      (m) => (layer(m, 4).inbound_nodes = [[["nobody", 0, 0, {}]]]),
      /layer "drop" reads "nobody", which is no layer/,
    ],
    [
      "a layer that reads two",
      (m) => layer(m, 4).inbound_nodes[0].push(["c1", 0, 0, {}]),
      /layer "drop" \(\w+\): it reads 2 layers/,
    ],
    [
      "a use of a layer that is not there",
      (m) => (layer(m, 4).inbound_nodes[0][0][1] = 1),
      /layer "drop" reads "\w+", which is no layer of the model, or not that often/,
    ],
    ["a result that a layer does not have", (m) => (layer(m, 4).inbound_nodes[0][0][2] = 1), /layer "\w+" has 1 results, not 2/],
    ["a cycle", (m) => (layer(m, 1).inbound_nodes = [[["c2", 0, 0, {}]]]), /the layers form a cycle/],
    [
      "an input that the list of inputs lacks",
      (m) => (
        (layer(m, 4).class_name = "Add"),
        m.modelTopology.model_config.config.layers.push({ class_name: "InputLayer", name: "in2", config: {}, inbound_nodes: [] }),
        layer(m, 4).inbound_nodes[0].push(["in2", 0, 0, {}])
      ),
      /"in2" is an input that the list of inputs lacks/,
    ],
    [
      "an output that is not there",
      (m) => (m.modelTopology.model_config.config.output_layers = [["y", 0, 0]]),
      /the list of outputs reads "y"/,
    ],
    ["a kernel of another rank", (m) => (layer(m, 1).class_name = "Conv2D"), /a kernel with 4 axes/],
    ["a layer twice", (m) => m.modelTopology.model_config.config.layers.push(layer(m, 6)), /two layers have the same name/],
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
