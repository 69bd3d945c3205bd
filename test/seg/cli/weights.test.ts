/** @file `voxgrad convert`, `voxgrad inspect` and `voxgrad train --init`. */
import { cpSync, existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Writer } from "../../../src/onnx/proto.ts";
import { readSafetensors, writeSafetensors } from "../../../src/weights/index.ts";
import { callCli } from "../../lib/call_cli.ts";
import { temporaryFolder, tinyOptions, writeTinyDataset } from "../../lib/tiny.ts";
import { expected, expectTensors, folder as fixtures } from "../../weights/fixtures.ts";

const { folder, remove } = temporaryFolder();
afterAll(remove);
const at = (name: string) => fileURLToPath(new URL(name, fixtures));
const out = (name: string) => join(folder, name);

const call = (...args: readonly string[]) => callCli(args);

test.each(["every.pt", "every_legacy.pt", "nested.pt", "nnunet.pth", "module.pt"])("convert %s", async (name) => {
  const { code, stdout, stderr } = await call("convert", at(name), out("a.safetensors"), "--overwrite");
  expect([code, stderr]).toEqual([0, ""]);
  expect(stdout).toMatch(/a\.safetensors: safetensors, \d+ tensors/);
  const { tensors, metadata } = readSafetensors(readFileSync(out("a.safetensors")));
  expectTensors(tensors, expected[name]);
  expect(Object.fromEntries(metadata)).toEqual(expected[name].metadata ?? {});
});

test("convert a layers model, a part of a checkpoint, and to halves", async () => {
  expect(await call("convert", at("mesh/model.json"), out("m.safetensors"))).toMatchObject({ code: 0 });
  expectTensors(readSafetensors(readFileSync(out("m.safetensors"))).tensors, expected.mesh, false);
  expect(await call("convert", at("two.pt"), out("g.safetensors"), "--key", "generator", "--dtype", "f16")).toMatchObject({
    code: 0,
  });
  const { tensors } = readSafetensors(readFileSync(out("g.safetensors")));
  expect([tensors.get("conv.weight")!.dtype, tensors.get("norm.num_batches_tracked")!.dtype]).toEqual(["F16", "I64"]);
});

test("convert gives back a file that PyTorch's safetensors wrote, byte for byte", async () => {
  expect(await call("convert", at("every.safetensors"), out("e.safetensors"))).toMatchObject({ code: 0 });
  expect(readFileSync(out("e.safetensors")).equals(readFileSync(at("every.safetensors")))).toBe(true);
});

test("inspect", async () => {
  const { code, stdout } = await call("inspect", at("nested.pt"));
  expect(code).toBe(0);
  expect(stdout).toMatch(/nested\.pt: PyTorch, 8 tensors, 31 values, 128 B\n/);
  expect(stdout).toMatch(/\n {2}conv\.weight +F32 +\[2, 1, 3, 3\] +72 B\n/);
  expect(stdout).toMatch(/\nmetadata\n {2}epoch: 12\n {2}arch: net\n/);
  expect((await call("inspect", at("with_list.pth"))).stdout).toMatch(/not read, being no tensors: mask_values\n/);
});

test("models of TensorFlow.js that cannot be run are inspected and converted all the same", async () => {
  cpSync(at("mesh"), out("mesh"), { recursive: true });
  const model = JSON.parse(readFileSync(out("mesh/model.json"), "utf8"));
  model.modelTopology.model_config.config.layers[3].class_name = "Lambda";
  writeFileSync(out("mesh/lambda.json"), JSON.stringify(model));
  writeFileSync(out("mesh/graph.json"), JSON.stringify({ ...model, format: "graph-model", modelTopology: { node: [] } }));
  const lambda = await call("inspect", out("mesh/lambda.json"));
  expect(lambda.stdout).toMatch(
    /layers model, in Keras's layout because it cannot be run here \(layer "a1" \(Lambda\): this kind/,
  );
  expect(lambda.stdout).toMatch(/\n {2}c1\/kernel +F32 +\[3, 3, 3, 1, 3\]/);
  expect((await call("inspect", out("mesh/graph.json"))).stdout).toMatch(
    /TensorFlow.js graph model, in TensorFlow's layout, 10 tensors/,
  );
  expect(await call("convert", out("mesh/graph.json"), out("graph.safetensors"))).toMatchObject({ code: 0 });
  expect(readSafetensors(readFileSync(out("graph.safetensors"))).tensors.get("c1/kernel")!.shape).toEqual([3, 3, 3, 1, 3]);
});

test("what is not read is named by both commands, and types of half a byte are said to be widened", async () => {
  const graph = new Writer()
    .message(1, new Writer().text(1, "x").text(2, "y").text(4, "Relu"))
    .message(5, new Writer().int(1, 3).int(2, 22).text(8, "q").bytes(9, Uint8Array.of(0x8f, 7)))
    .message(5, new Writer().int(1, 1).int(2, 17).text(8, "f").bytes(9, Uint8Array.of(1)))
    .message(5, new Writer().int(1, 2).int(2, 3).text(8, "i").bytes(9, Uint8Array.of(1, 255)))
    .message(
      5,
      new Writer().int(1, 1).int(2, 1).text(8, "e").int(14, 1).message(13, new Writer().text(1, "location").text(2, "e.bin")),
    );
  const model = new Writer().int(1, 10).message(7, graph).message(8, new Writer().text(1, "").int(2, 21)).finish();
  writeFileSync(out("q.onnx"), model);
  expect(await call("inspect", out("q.onnx"))).toMatchObject({ code: 1, stderr: expect.stringMatching(/cannot open .*e\.bin/) });
  writeFileSync(out("e.bin"), new Uint8Array(Float32Array.of(2.5).buffer));
  const { stdout } = await call("inspect", out("q.onnx"));
  expect(stdout).toMatch(/\n {2}q +INT4 +\[3\] +2 B\n {2}i +I8 +\[2\] +2 B\n/);
  expect(stdout).toMatch(/\nnot read: f \(float8e4m3fn \[1\]\): its element type float8e4m3fn is not supported\n/);
  const converted = await call("convert", out("q.onnx"), out("q.safetensors"));
  expect(converted.stdout).toMatch(/\nleft out: f \(float8e4m3fn \[1\]\).*\nq: INT4 as I8, the least type that holds it\n/);
  const { tensors } = readSafetensors(readFileSync(out("q.safetensors")));
  expect([...tensors].map(([name, t]) => [name, t.dtype, Array.from(t.data)])).toEqual([
    ["q", "I8", [-1, -8, 7]],
    ["i", "I8", [1, -1]],
    ["e", "F32", [2.5]],
  ]);
});

test("inspect prints no codes that a terminal obeys", async () => {
  const tensor = { data: new Float32Array(1), shape: [1] };
  writeFileSync(
    out("evil.safetensors"),
    writeSafetensors(new Map([["\u001b[2J", tensor]]), new Map([["a", "\u001b]0;b\u0007"]])),
  );
  const { stdout } = await call("inspect", out("evil.safetensors"));
  expect(stdout).toContain("\\u001b[2J");
  expect(stdout.replaceAll("\n", "")).not.toMatch(/\p{Cc}/u);
});

test.each<[string, readonly string[], string, RegExp]>([
  ["one file", ["convert", at("net.pt")], "ConfigError", /convert needs two files/],
  ["another output", ["convert", at("net.pt"), "a.onnx"], "ConfigError", /must be named \*\.safetensors/],
  [
    "an unknown type",
    ["convert", at("net.pt"), out("n.safetensors"), "--dtype", "I8"],
    "ConfigError",
    /--dtype must be one of F64/,
  ],
  ["no file", ["inspect"], "ConfigError", /inspect needs one file/],
  ["a file that is not there", ["inspect", "none.pt"], "FormatError", /cannot open none\.pt: there is no such file/],
  ["a file that is none", ["inspect", at("expected.json").replace(".json", "").concat(".json")], "FormatError", /no class_name/],
  ["a script", ["inspect", fileURLToPath(import.meta.url)], "FormatError", /neither a safetensors file nor a PyTorch checkpoint/],
  ["a hostile file", ["convert", at("evil_system.pt"), out("n.safetensors")], "FormatError", /would call posix\.system/],
  ["two groups", ["convert", at("two.pt"), out("n.safetensors")], "FormatError", /"generator", "discriminator"/],
])("refused: %s", async (_, args, error, message) => {
  const { code, stderr } = await call(...args);
  expect(code).toBe(1);
  expect(stderr).toMatch(new RegExp(`^${error}: `));
  expect(stderr).toMatch(message);
  expect(existsSync(out("n.safetensors"))).toBe(false);
});

test("a model.json whose shard is missing", async () => {
  cpSync(at("mesh/model.json"), out("model.json"));
  expect(await call("inspect", out("model.json"))).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(/cannot open .*group1-shard1of2\.bin/),
  });
});

test("info points from a file of weights to inspect", async () => {
  writeFileSync(out("net.ckpt"), "");
  for (const path of [at("every.safetensors"), at("every.pt"), at("nnunet.pth"), out("net.ckpt")]) {
    const { code, stderr } = await call("info", path);
    expect([code, stderr]).toEqual([1, expect.stringContaining(`no image: voxgrad inspect ${path} lists its tensors`)]);
  }
  expect((await call("info", out("none.pt"))).stderr).not.toContain("inspect");
});

beforeAll(() => writeTinyDataset(out("data")));

test("train --init starts from weights, says what did not fit, and refuses a file of which nothing does", async () => {
  const train = (name: string, ...more: string[]) =>
    call("train", "--data", out("data"), "--out", out(name), ...tinyOptions, "--epochs", "1", ...more);
  expect(await train("first")).toMatchObject({ code: 0 });
  const weights = join(out("first"), "weights.safetensors");
  const { tensors } = readSafetensors(readFileSync(weights));
  const part = new Map([...tensors].slice(1));
  writeFileSync(out("part.safetensors"), writeSafetensors(part));
  const second = await train("second", "--init", out("part.safetensors"), "--lr", "1e-30");
  expect(second).toMatchObject({ code: 0 });
  expect(second.stdout).toMatch(
    new RegExp(
      `part\\.safetensors: ${part.size} tensors loaded\n {2}1 missing from the file, left as they were:\n {4}${[...tensors.keys()][0]}`,
    ),
  );
  const after = readSafetensors(readFileSync(join(out("second"), "weights.safetensors"))).tensors;
  for (const [name, { data }] of part) expect(after.get(name)!.data, name).toEqual(data);
  const third = await train("third", "--init", at("bare.pt"));
  expect(third).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(/CheckpointError: .*bare\.pt: none of its tensors fits this network/),
  });
});
