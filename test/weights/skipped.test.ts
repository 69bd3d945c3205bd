/** @file One tensor of a type that is not supported: the rest is read, and it is named with its reason. A file of nothing else is refused. */
import { expect, test } from "vitest";
import { FormatError } from "../../src/host/errors.ts";
import { readOnnxFile, readOnnxWeights } from "../../src/onnx/index.ts";
import { Writer } from "../../src/onnx/proto.ts";
import { readSafetensors, readTorch, readWeights, writeSafetensors } from "../../src/weights/index.ts";
import { call, dict, four, global, int, latin, pickle, storage, tensor, text, torch, tuple } from "./torch/made.ts";

function safetensors(
  entries: Readonly<Record<string, readonly [dtype: string, shape: readonly number[], bytes: number]>>,
): Uint8Array {
  let at = 0;
  const header = Object.fromEntries(
    Object.entries(entries).map(([name, [dtype, shape, bytes]]) => [name, { dtype, shape, data_offsets: [at, (at += bytes)] }]),
  );
  const json = new TextEncoder().encode(JSON.stringify(header));
  const out = new Uint8Array(8 + json.length + at).fill(0x7f);
  new DataView(out.buffer).setBigUint64(0, BigInt(json.length), true);
  out.set(json, 8);
  return out;
}

test("safetensors", async () => {
  const bytes = safetensors({ a: ["F32", [2], 8], b: ["F8_E4M3", [3], 3], c: ["I64", [1], 8], d: ["U8", [2], 2] });
  const { tensors, skipped } = await readWeights(bytes);
  expect([...tensors.keys()]).toEqual(["a", "d"]);
  expect(tensors.get("d")!.data).toEqual(Uint8Array.of(127, 127));
  expect(skipped).toEqual([
    { name: "b", dtype: "F8_E4M3", shape: [3], reason: expect.stringMatching(/dtype is "F8_E4M3"; supported are F64/) },
    { name: "c", dtype: "I64", shape: [1], reason: expect.stringMatching(/I64 value 9187201950435737471 is beyond/) },
  ]);
  expect([...readSafetensors(writeSafetensors(tensors)).tensors.keys()]).toEqual(["a", "d"]);
  expect(() => readSafetensors(safetensors({ b: ["F8_E4M3", [3], 3] }))).toThrow(FormatError);
});

test("PyTorch", async () => {
  const complex = tensor({ from: storage("1", 2, "ComplexFloatStorage"), shape: [2] });
  const sparse = call(global("torch._utils", "_rebuild_sparse_tensor"), latin("N"), tuple(int(1)));
  const bytes = torch(pickle(dict(text("w"), tensor(), text("z"), complex, text("s"), sparse)), four, [
    { name: "a/data/1", data: four },
  ]);
  const { tensors, skipped } = await readTorch(bytes);
  expect([...tensors.keys()]).toEqual(["w"]);
  expect(skipped).toEqual([
    { name: "s", reason: "it is a sparse tensor" },
    { name: "z", dtype: "ComplexFloatStorage", shape: [2], reason: expect.stringMatching(/type ComplexFloatStorage is not/) },
  ]);
});

/** A model of one Relu with these initializers: name, type number, shape, bytes or numbers. */
function onnx(
  tensors: readonly (readonly [name: string, type: number, shape: readonly number[], raw: Uint8Array | readonly number[]])[],
): Uint8Array {
  const graph = new Writer().message(1, new Writer().text(1, "x").text(2, "y").text(4, "Relu"));
  for (const [name, type, shape, raw] of tensors) {
    const t = new Writer();
    for (const d of shape) t.int(1, d);
    t.int(2, type).text(8, name);
    if (raw instanceof Uint8Array) t.bytes(9, raw);
    else for (const v of raw) t.int(type === 7 ? 7 : 5, v);
    graph.message(5, t);
  }
  return new Writer().int(1, 10).message(7, graph).message(8, new Writer().text(1, "").int(2, 21)).finish();
}

test("ONNX: integers keep their types, and what is not read is named", () => {
  const bytes = onnx([
    ["i8", 3, [2], Uint8Array.of(255, 127)],
    ["i8_fields", 3, [2], [-1, 127]],
    ["u8", 2, [1], Uint8Array.of(200)],
    ["i4", 22, [3], Uint8Array.of(0x8f, 0x07)],
    ["u4_fields", 21, [3], [0x8f, 0x07]],
    ["i64", 7, [1], [3]],
    ["end", 7, [1], [2 ** 62]],
    ["f8", 17, [2], Uint8Array.of(1, 2)],
  ]);
  const { tensors, skipped } = readOnnxFile(bytes);
  const found = Object.fromEntries([...tensors].map(([name, t]) => [name, [t.dtype, t.storedAs, Array.from(t.data)]]));
  expect(found).toEqual({
    i8: ["I8", undefined, [-1, 127]],
    i8_fields: ["I8", undefined, [-1, 127]],
    u8: ["U8", undefined, [200]],
    i4: ["I8", "int4", [-1, -8, 7]],
    u4_fields: ["U8", "uint4", [15, 8, 7]],
    i64: ["I64", undefined, [3]],
  });
  expect(skipped).toEqual([
    { name: "f8", dtype: "float8e4m3fn", shape: [2], reason: "its element type float8e4m3fn is not supported" },
    { name: "end", dtype: "int64", shape: [1], reason: expect.stringMatching(/beyond the exact integers/) },
  ]);
  expect(readOnnxWeights(bytes).has("f8")).toBe(false);
  expect(() => readOnnxFile(onnx([["f8", 17, [1], Uint8Array.of(1)]]))).toThrow(/tensor "f8": its element type float8e4m3fn/);
  expect(() => readOnnxFile(onnx([["i4", 22, [3], Uint8Array.of(1)]]))).toThrow(/needs 3 values of int4/);
});
