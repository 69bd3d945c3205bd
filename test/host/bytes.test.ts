/** @file Bytes: the cursor and its bounds, deflate with a promise of size, checksums, PNG files and the budget. */
import { deflateSync, gunzipSync, inflateRawSync, inflateSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { Budget, failing } from "../../src/host/bytes/budget.ts";
import { bunzip2 } from "../../src/host/bytes/bunzip2.ts";
import { crc32 } from "../../src/host/bytes/crc32.ts";
import { deflate, type DeflateFormat, inflate, inflatedLimit, isGzip } from "../../src/host/bytes/inflate.ts";
import { parseJson } from "../../src/host/bytes/json.ts";
import { encodePng } from "../../src/host/bytes/png.ts";
import { ByteReader } from "../../src/host/bytes/reader.ts";
import { FormatError, ShapeError } from "../../src/host/errors.ts";

const fail = failing("the file");

describe("bunzip2", () => {
  const hex = (text: string): Uint8Array => Uint8Array.from(text.match(/../g)!, (b) => parseInt(b, 16));
  const unpack = (bytes: Uint8Array): Uint8Array => Uint8Array.from([...bunzip2(bytes, fail)].flatMap((p) => [...p]));
  // By Python's bz2: two streams, and runs of all kinds.
  const streams = hex(
    "425a68393141592653597669e0d4000001110040000244a00030cd00c34629971772453850907669e0d4425a683131415926535959ce7bcb000002018004049080200030cd00c1a4c0717724538509059ce7bcb0",
  );
  const runs = Uint8Array.from(
    atob(
      "QlpoMTFBWSZTWQ9zrMMAAAbxAf///////7gAAIAACCAAVFamgAAAAAANNGQREAGgAZAAAAaBx+HQSTUVW+F6QAAgxA02468/BDFHIU0s09FNVdlt1+GOWenHPROy+emOYPjgf4CjGBBCQ/F3JFOFCQD3Osww",
    ),
    (c) => c.charCodeAt(0),
  );
  const expected = [
    ...new Array<number>(1000).fill(7),
    ...[97, 98].flatMap((c) => [c, c, c, c]),
    ...new Array<number>(259).fill(99),
    ...Array.from({ length: 48 }, (_, i) => i),
  ];

  test("streams one behind the other, runs", () => {
    expect(new TextDecoder().decode(unpack(streams))).toBe("hello world");
    expect([...unpack(runs)]).toEqual(expected);
  });

  test("whatever is changed or cut is an error, never other bytes", () => {
    for (let i = 0; i < runs.length; i++) {
      expect(() => unpack(runs.subarray(0, i))).toThrow(FormatError);
      // The 5 bits behind the end of the stream are for whole bytes.
      for (const mask of i < runs.length - 1 ? [1, 128, 255] : []) {
        const damaged = runs.slice();
        damaged[i] ^= mask;
        expect(() => unpack(damaged)).toThrow(FormatError);
      }
    }
  });
});

describe("ByteReader", () => {
  // 0xff first, so that signs show.
  const bytes = Uint8Array.of(0xff, 0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x87, 0x08);
  type Read = "u8" | "i8" | "u16" | "i16" | "u32" | "i32" | "u64" | "i64";
  test.each<[Read, number, number]>([
    ["u8", 0xff, 0xff],
    ["i8", -1, -1],
    ["u16", 0x01ff, 0xff01],
    ["i16", 0x01ff, 0xff01 - 2 ** 16],
    ["u32", 0x030201ff, 0xff010203],
    ["i32", 0x030201ff, 0xff010203 - 2 ** 32],
    ["u64", Number(0x87060504030201ffn), Number(0xff01020304050687n)],
    ["i64", Number(BigInt.asIntN(64, 0x87060504030201ffn)), Number(BigInt.asIntN(64, 0xff01020304050687n))],
  ])("%s in both byte orders", (read, little, big) => {
    for (const [littleEndian, value] of [
      [true, little],
      [false, big],
    ] as const) {
      const reader = new ByteReader(bytes, fail, { littleEndian });
      expect(reader[read]()).toBe(value);
      expect(reader.at).toBe(Number(read.slice(1)) / 8);
    }
  });
  test("floats, and one number of the other byte order", () => {
    const view = new DataView(new ArrayBuffer(20));
    view.setFloat32(0, 1.5, true);
    view.setFloat64(4, Math.PI, true);
    view.setFloat64(12, -0.1);
    const reader = new ByteReader(new Uint8Array(view.buffer), fail);
    expect([reader.f32(), reader.f64(), reader.f64(false)]).toEqual([1.5, Math.PI, -0.1]);
  });
  test("begins where it is told, also inside a larger buffer", () => {
    const reader = new ByteReader(bytes.subarray(1), fail, { at: 2 });
    expect([reader.u8(), reader.left]).toEqual([3, 5]);
    expect([...reader.part(2)]).toEqual([4, 5]);
    expect(reader.part(0)).toHaveLength(0);
  });
  test("refuses what is not there and stays where it was", () => {
    const reader = new ByteReader(bytes, fail, { at: 6 });
    for (const read of [() => reader.u32(), () => reader.f64(), () => reader.part(4), () => reader.skip(Infinity)]) {
      expect(read).toThrow(FormatError);
      expect(reader.at).toBe(6);
    }
    expect(() => reader.i32()).toThrow("the file: 4 bytes are wanted, 3 are left; the file is damaged or cut short");
    for (const count of [-1, NaN]) expect(() => reader.skip(count)).toThrow(FormatError);
    expect(() => new ByteReader(new Uint8Array(0), fail).u8()).toThrow(/1 bytes are wanted, 0 are left/);
  });
});

describe("deflate", () => {
  const bytes = Uint8Array.from({ length: 100_000 }, (_, i) => (i * i) >> 8);
  test.each<[DeflateFormat, (b: Uint8Array) => Uint8Array]>([
    ["gzip", gunzipSync],
    ["deflate", inflateSync],
    ["deflate-raw", inflateRawSync],
  ])("%s there and back", async (format, other) => {
    const packed = await deflate(bytes, format);
    expect(packed.length).toBeLessThan(bytes.length);
    expect(isGzip(packed)).toBe(format === "gzip");
    expect(Buffer.compare(other(packed), bytes)).toBe(0);
    expect(Buffer.compare(await inflate(packed, bytes.length, format, fail), bytes)).toBe(0);
    await expect(inflate(packed, bytes.length - 1, format, fail)).rejects.toThrow(/inflates to more than the 99999 bytes/);
    await expect(inflate(packed, bytes.length + 1, format, fail)).rejects.toThrow(
      /inflates to 100000 bytes instead of the 100001/,
    );
    await expect(inflate(packed.subarray(0, 100), bytes.length, format, fail)).rejects.toThrow(FormatError);
  });
  test("nothing", async () => expect(await inflate(await deflate(new Uint8Array(0), "gzip"), 0, "gzip", fail)).toHaveLength(0));
  test("bytes that are no stream", async () => {
    await expect(inflate(Uint8Array.of(1, 2, 3), 3, "gzip", fail)).rejects.toThrow(/^the file: cannot be inflated: /);
    expect([isGzip(new Uint8Array(0)), isGzip(Uint8Array.of(0x1f))]).toEqual([false, false]);
  });
  test("the limit holds for what deflates best", () => {
    const packed = deflateSync(new Uint8Array(1 << 24), { level: 9 });
    expect(1 << 24).toBeLessThan(inflatedLimit(packed.length));
    expect(1 << 24).toBeGreaterThan(inflatedLimit(packed.length) * 0.9);
  });
});

test("crc32: the check value, and none", () => {
  expect(crc32(new TextEncoder().encode("123456789"))).toBe(0xcbf43926);
  expect(crc32(new Uint8Array(0))).toBe(0);
  expect(crc32(new TextEncoder().encode("IEND"))).toBe(0xae426082);
});

describe("encodePng", () => {
  test.each([
    [1, 0],
    [3, 2],
  ] as const)("%i channels: chunks, checksums and lines", async (channels, colorType) => {
    const [width, height] = [5, 3];
    const data = Uint8Array.from({ length: width * height * channels }, (_, i) => i * 5);
    const file = await encodePng({ width, height, channels, data });
    expect([...file.subarray(0, 8)]).toEqual([137, 80, 78, 71, 13, 10, 26, 10]);
    const reader = new ByteReader(file, fail, { at: 8, littleEndian: false });
    const chunks = new Map<string, Uint8Array>();
    while (reader.left > 0) {
      const length = reader.u32();
      const from = reader.at;
      const type = String.fromCharCode(...reader.part(4));
      chunks.set(type, reader.part(length));
      expect(crc32(file.subarray(from, reader.at)), type).toBe(reader.u32());
    }
    expect([...chunks.keys()]).toEqual(["IHDR", "IDAT", "IEND"]);
    expect([...chunks.get("IHDR")!]).toEqual([0, 0, 0, width, 0, 0, 0, height, 8, colorType, 0, 0, 0]);
    const lines = inflateSync(chunks.get("IDAT")!);
    const row = width * channels;
    for (let y = 0; y < height; y++) {
      expect(lines[y * (row + 1)]).toBe(0);
      expect([...lines.subarray(y * (row + 1) + 1, (y + 1) * (row + 1))]).toEqual([...data.subarray(y * row, (y + 1) * row)]);
    }
  });
  test("refuses data that do not fill it", async () => {
    await expect(encodePng({ width: 2, height: 2, channels: 3, data: new Uint8Array(4) })).rejects.toThrow(ShapeError);
  });
});

test("a budget is spent, given back, and refuses", () => {
  const budget = new Budget(100, fail);
  budget.take(60, "a");
  budget.give(20);
  budget.take(60, "b");
  expect(() => budget.take(1, "c")).toThrow("the file: c would take more memory than four times the file's size");
  for (const bytes of [NaN, Infinity]) expect(() => new Budget(100, fail).take(bytes, "d")).toThrow(FormatError);
});

describe("parseJson", () => {
  const parse = (text: string, depth = 3) => parseJson(new TextEncoder().encode(text), "the header", depth, fail);
  test("reads", () => expect(parse('{"a": [1, "]]]]{{{{", "\\"["]}')).toEqual({ a: [1, "]]]]{{{{", '"['] }));
  test.each([
    ["{", /is no JSON/],
    ["[[[[1]]]]", /nested more than 3 levels/],
    [`[${"[],".repeat(200)}1]`, /more lists/],
    ["", /is no JSON/],
  ])("refuses %j", (text, message) => {
    expect(() => parse(text)).toThrow(FormatError);
    expect(() => parse(text)).toThrow(message);
  });
  test("refuses what is no UTF-8", () =>
    expect(() => parseJson(Uint8Array.of(0x22, 0xff, 0x22), "it", 3, fail)).toThrow(FormatError));
});
