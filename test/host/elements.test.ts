/** @file The table of element types: against what the libraries and formats themselves say, and against typed arrays. */
import { describe, expect, test } from "vitest";
import type { DType, TypedArray } from "../../src/host/array.ts";
import { type ElementName, elements, elementsBy, integerRange, nativeNames, nativeOf } from "../../src/host/elements.ts";
import { byteLength } from "../../src/tensor/tensor.ts";

const names = Object.keys(elements) as ElementName[];

test("native types are those of the typed arrays, by size and by what an array is", () => {
  expect(nativeNames).toEqual(["f64", "f32", "i32", "u32", "i16", "u16", "i8", "u8"]);
  for (const name of nativeNames) {
    const { array, bytes } = elements[name];
    expect(array.BYTES_PER_ELEMENT, name).toBe(bytes);
    expect(nativeOf(new array(2))).toBe(name);
  }
  expect(nativeOf(Buffer.alloc(3))).toBe("u8");
  expect(nativeOf(new BigInt64Array(1) as unknown as TypedArray)).toBeUndefined();
});

test("what is not native is kept in something wider, or as bytes", () => {
  const host = (name: ElementName) => elements[name].array;
  expect([host("f16"), host("bf16"), host("i64"), host("u64"), host("bool")]).toEqual([
    Float32Array,
    Float32Array,
    Float64Array,
    Float64Array,
    Uint8Array,
  ]);
});

test("sizes agree with the number in the name", () => {
  for (const name of names) expect(elements[name].bytes, name).toBe(name === "bool" ? 1 : Number(/\d+/.exec(name)![0]) / 8);
  for (const dtype of ["f32", "f16", "i32", "u32"] satisfies DType[])
    expect(byteLength([6], dtype)).toBe(6 * elements[dtype].bytes);
});

describe("foreign names", () => {
  // Hand-copied from nifti1.h, onnx.proto, torch/storage, numpy.dtype.str and the safetensors format.
  test.each([
    ["numpy", { float32: "f32", bfloat16: "bf16", uint64: "u64", bool: "bool" }],
    ["short", { f8: "f64", i8: "i64", u1: "u8", b1: "bool" }],
    ["safetensors", { F16: "f16", I64: "i64", BOOL: "bool" }],
    ["storage", { LongStorage: "i64", ByteStorage: "u8", BFloat16Storage: "bf16" }],
  ] as const)("%s", (column, some) => {
    const map = elementsBy(column);
    for (const [foreign, name] of Object.entries(some)) expect(map.get(foreign)).toBe(name);
    expect(map.get("complex64")).toBeUndefined();
    expect(map.get(undefined)).toBeUndefined();
  });
  test("numbers of NIfTI and ONNX", () => {
    const nifti = elementsBy("nifti");
    const dt = { 2: "u8", 4: "i16", 8: "i32", 16: "f32", 64: "f64", 256: "i8", 512: "u16", 768: "u32", 1024: "i64", 1280: "u64" };
    expect(Object.fromEntries(nifti as Map<number, string>)).toEqual(dt);
    const onnx = [...(elementsBy("onnx") as Map<number, string>)].sort(([a], [b]) => a - b).map(([, name]) => name);
    // 8 is string, 14 and 15 are complex.
    expect(onnx).toEqual(["f32", "u8", "i8", "u16", "i16", "i32", "i64", "bool", "f16", "f64", "u32", "u64", "bf16"]);
  });
  test("no name stands for two types", () => {
    for (const column of ["numpy", "short", "safetensors", "storage", "nifti", "onnx"] as const)
      expect(elementsBy(column).size).toBe(names.filter((n) => column in elements[n]).length);
  });
});

test("ranges of integers are what typed arrays wrap at", () => {
  for (const name of nativeNames) {
    const range = integerRange(name);
    if (elements[name].kind === "float") {
      expect(range).toBeUndefined();
      continue;
    }
    const [low, high] = range!;
    const a = new elements[name].array([low, high, low - 1, high + 1]);
    expect([...a], name).toEqual([low, high, high, low]);
  }
  expect(integerRange("i64")).toEqual([-(2 ** 63), 2 ** 63 - 1]);
  expect(integerRange("bool")).toBeUndefined();
});
