/** @file safetensors: files read and written, and files that lie. */

import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { readSafetensors, writeSafetensors, type WritableTensor } from "../../src/weights/safetensors.ts";
import { ConfigError, DataError, FormatError, ShapeError } from "../../src/host/errors.ts";

const fixture = (name: string): Uint8Array => new Uint8Array(readFileSync(new URL(`../fixtures/${name}`, import.meta.url)));

/** A file with the given header (text or object) and data bytes. */
function file(header: unknown, dataBytes = 0, headerLength?: number): Uint8Array {
  const text = new TextEncoder().encode(typeof header === "string" ? header : JSON.stringify(header));
  const out = new Uint8Array(8 + text.length + dataBytes);
  new DataView(out.buffer).setBigUint64(0, BigInt(headerLength ?? text.length), true);
  out.set(text, 8);
  return out;
}

const entry = (dtype: unknown, shape: unknown, ...data_offsets: unknown[]): object => ({ dtype, shape, data_offsets });

describe("writeSafetensors and readSafetensors", () => {
  it("keep names, order, types, values and metadata", () => {
    const tensors = new Map<string, WritableTensor>([
      ["weight", { data: Float32Array.of(1.5, -2, NaN, Infinity), shape: [2, 2] }],
      ["10", { data: Int32Array.of(-7), shape: [] }], // an integer-like name must not jump to the front
      ["bytes", { data: Uint8Array.of(1, 2, 3), shape: [3] }],
      ["empty", { data: new Float64Array(0), shape: [0, 4] }],
      ["steps", { data: Float64Array.of(2 ** 53 - 1, -3), shape: [2], dtype: "I64" }],
      ["half", { data: Float32Array.of(0.5, -65504), shape: [2], dtype: "F16" }],
      ["brain", { data: Float32Array.of(1, -3.0e38), shape: [2], dtype: "BF16" }],
      ["__proto__", { data: Uint16Array.of(9), shape: [1] }],
    ]);
    const bytes = writeSafetensors(tensors, new Map([["format", "pt"]]));
    expect(new DataView(bytes.buffer).getBigUint64(0, true) % 8n).toBe(0n);
    const back = readSafetensors(bytes);
    expect([...back.tensors.keys()]).toEqual([...tensors.keys()]);
    expect([...back.metadata]).toEqual([["format", "pt"]]);
    expect([...back.tensors.values()].map((t) => t.dtype)).toEqual(["F32", "I32", "U8", "F64", "I64", "F16", "BF16", "U16"]);
    expect(back.tensors.get("weight")!.data).toEqual(Float32Array.of(1.5, -2, NaN, Infinity));
    expect(back.tensors.get("steps")!.data).toEqual(Float64Array.of(2 ** 53 - 1, -3));
    expect(back.tensors.get("half")!.data).toEqual(Float32Array.of(0.5, -65504));
    expect(back.tensors.get("brain")!.data[1]).toBeCloseTo(-3.0e38, -36);
    expect(writeSafetensors(back.tensors, back.metadata)).toEqual(bytes);
  });

  it.each(["unet2d.safetensors", "unet2d_plain.safetensors", "unet3d.safetensors"])("write %s back byte for byte", (name) => {
    const bytes = fixture(name); // made by the reference implementation
    const { tensors, metadata } = readSafetensors(bytes, name);
    expect(tensors.get("input")!.dtype).toBe("F32");
    expect(Buffer.compare(writeSafetensors(tensors, metadata), bytes)).toBe(0);
  });

  it("read from a view into a larger buffer at an odd address", () => {
    const bytes = writeSafetensors(new Map([["a", { data: Float32Array.of(1, 2), shape: [2] }]]));
    const larger = new Uint8Array(bytes.length + 3);
    larger.set(bytes, 3);
    expect(readSafetensors(larger.subarray(3)).tensors.get("a")!.data).toEqual(Float32Array.of(1, 2));
  });

  it("round float16 to nearest even and keep every float16 value", () => {
    const all = new Uint16Array(65536).map((_, i) => i);
    const raw = file({ a: entry("F16", [65536], 0, 131072) }, 131072);
    raw.set(new Uint8Array(all.buffer), raw.length - 131072);
    const { tensors } = readSafetensors(raw);
    const written = new Uint16Array(writeSafetensors(tensors).slice(-131072).buffer);
    const isNaN16 = (b: number): boolean => (b & 0x7c00) === 0x7c00 && (b & 0x3ff) !== 0;
    expect(all.every((b, i) => written[i] === b || (isNaN16(b) && isNaN16(written[i])))).toBe(true);
    const half = (...v: number[]): number[] =>
      Array.from(
        readSafetensors(
          writeSafetensors(new Map([["a", { data: Float64Array.from(v), shape: [v.length], dtype: "F16" as const }]])),
        ).tensors.get("a")!.data,
      );
    expect(half(1 + 2 ** -11, 1 + 3 * 2 ** -11, 65519, 65520, 2 ** -25, 2 ** -25 * 1.01, 2 ** -14 - 2 ** -26, -1e-9)).toEqual([
      1,
      1 + 2 ** -9,
      65504,
      Infinity,
      0,
      2 ** -24,
      2 ** -14,
      -0,
    ]);
  });

  it("refuse to write what would not read back", () => {
    const one = { data: Float32Array.of(1), shape: [1] };
    expect(() => writeSafetensors(new Map([["a", { ...one, shape: [2] }]]))).toThrow(ShapeError);
    expect(() => writeSafetensors(new Map([["__metadata__", one]]))).toThrow(ConfigError);
    expect(() => writeSafetensors(new Map([["a", { data: Float32Array.of(0.5), shape: [1], dtype: "I64" as const }]]))).toThrow(
      DataError,
    );
  });
});

describe("hostile files", () => {
  it.each<[string, Uint8Array, RegExp]>([
    ["nothing", new Uint8Array(0), /0 bytes/],
    ["seven bytes", new Uint8Array(7), /7 bytes/],
    ["a header longer than the file", file({}, 0, 1000), /header length is 1000/],
    ["a header of 2^63 bytes", file({}, 0, 2 ** 63), /header length/],
    ["a cut header", file('{"a":', 0), /no JSON/],
    ["bytes that are no UTF-8", file("\0", 0).fill(0xff, 8), /no JSON/],
    ["a list", file([]), /no JSON object/],
    ["null", file(null), /no JSON object/],
    ["metadata of numbers", file({ __metadata__: { a: 1 } }), /__metadata__\.a is number/],
    ["metadata as a list", file({ __metadata__: [] }), /__metadata__/],
    ["an entry that is no object", file({ a: 3 }), /"a": the entry/],
    ["an unknown dtype", file({ a: entry("F8_E4M3", [1], 0, 1) }, 1), /dtype is "F8_E4M3"/],
    ["a dtype from the prototype", file({ a: entry("constructor", [1], 0, 1) }, 1), /dtype/],
    ["a negative size", file({ a: entry("U8", [-1], 0, 1) }, 1), /shape/],
    ["a fractional size", file({ a: entry("U8", [0.5, 2], 0, 1) }, 1), /shape/],
    ["sizes whose product overflows", file({ a: entry("U8", [2 ** 40, 2 ** 40], 0, 1) }, 1), /needs 1\.2\d+e\+24 bytes/],
    ["a missing shape", file({ a: { dtype: "U8", data_offsets: [0, 1] } }, 1), /shape is undefined/],
    ["offsets backwards", file({ a: entry("U8", [1], 1, 0) }, 1), /data_offsets/],
    ["three offsets", file({ a: entry("U8", [1], 0, 1, 2) }, 2), /data_offsets/],
    ["offsets past the end", file({ a: entry("F32", [2], 0, 8) }, 4), /end at 8, but the file has 4/],
    ["a size that does not fit the offsets", file({ a: entry("F32", [2], 0, 4) }, 4), /needs 8 bytes, data_offsets give 4/],
    ["overlapping tensors", file({ a: entry("U8", [3], 0, 3), b: entry("U8", [2], 2, 4) }, 4), /inside the tensor/],
    ["the same bytes twice", file({ a: entry("U8", [2], 0, 2), b: entry("U8", [2], 0, 2) }, 2), /inside the tensor/],
    ["a hole", file({ a: entry("U8", [1], 0, 1), b: entry("U8", [1], 2, 3) }, 3), /1 bytes before/],
    ["bytes after the last tensor", file({ a: entry("U8", [1], 0, 1) }, 5), /last 4 bytes/],
    [
      "a name twice",
      file('{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"a":{"dtype":"U8","shape":[1],"data_offsets":[1,2]}}', 2),
      /belong/,
    ],
    ["an I64 beyond float64", file({ a: entry("I64", [1], 0, 8) }, 8).fill(0x7f, -8), /I64 value/],
  ])("%s", (_, bytes, message) => {
    expect(() => readSafetensors(bytes, "evil.safetensors")).toThrow(FormatError);
    expect(() => readSafetensors(bytes, "evil.safetensors")).toThrow(message);
    expect(() => readSafetensors(bytes, "evil.safetensors")).toThrow(/^evil\.safetensors: /);
  });
});
