/** @file TIFF as few writers make it: samples of odd widths, tiles where strips should be, tags that are damaged. */

import { deflateSync } from "node:zlib";
import { expect, test } from "vitest";
import { readImage } from "../../../src/data/formats/read_image.ts";
import { FormatError } from "../../../src/host/errors.ts";
import { named } from "../../lib/written_files.ts";

const [width, height] = [5, 3];

/** A little-endian file of one page, whose samples follow its directory. A tag that is undefined is left out. */
function tiff(tags: Readonly<Record<number, number | undefined>>, samples: Uint8Array): File {
  const all = { 256: width, 257: height, 258: 8, 259: 1, 262: 1, 273: -1, 277: 1, 279: samples.length, ...tags };
  const entries = Object.entries(all).filter(([, value]) => value !== undefined);
  const start = 8 + 2 + 12 * entries.length + 4;
  const view = new DataView(new ArrayBuffer(start + samples.length));
  view.setUint32(0, 0x002a4949, true);
  view.setUint32(4, 8, true);
  view.setUint16(8, entries.length, true);
  entries.forEach(([id, value], i) => {
    view.setUint16(10 + 12 * i, Number(id), true);
    view.setUint16(12 + 12 * i, 4, true);
    view.setUint32(14 + 12 * i, Number(id) === 269 ? 1 << 20 : 1, true);
    view.setUint32(18 + 12 * i, value === -1 ? start : value!, true);
  });
  const bytes = new Uint8Array(view.buffer);
  bytes.set(samples, start);
  return named("a.tif", bytes);
}

/** Rows of values packed bit by bit, the highest first, each row from a byte on. */
function packed(bits: number, valueAt: (i: number) => number): Uint8Array {
  const rows = Array.from({ length: height }, (_, y) => {
    const text = Array.from({ length: width }, (__, x) =>
      valueAt(y * width + x)
        .toString(2)
        .padStart(bits, "0"),
    ).join("");
    return text.padEnd(Math.ceil(text.length / 8) * 8, "0");
  });
  return Uint8Array.from(rows.join("").match(/.{8}/g)!, (byte) => parseInt(byte, 2));
}

test.each([
  [1, "u8"],
  [3, "u8"],
  [7, "u8"],
  [10, "u16"],
  [12, "u16"],
  [15, "u16"],
  [17, "u32"],
  [24, "u32"],
  [31, "u32"],
])("samples of %d bits", async (bits, dtype) => {
  const value = (i: number) => (i === 0 ? 2 ** bits - 1 : (i * 7919) % 2 ** bits);
  const picture = await readImage(tiff({ 258: bits }, packed(bits, value)));
  expect(picture.meta.dtype).toBe(dtype);
  for (let i = 0; i < width * height; i++) expect(picture.data[(i % width) * height + Math.floor(i / width)]).toBe(value(i));
});

test("places of tiles where those of strips stand", async () => {
  const tile = Uint8Array.from({ length: 16 * 16 }, (_, i) => (i % 16) + 10 * Math.floor(i / 16));
  const picture = await readImage(tiff({ 322: 16, 323: 16 }, tile));
  expect([...picture.data]).toEqual(Array.from({ length: 15 }, (_, i) => Math.floor(i / height) + 10 * (i % height)));
});

test("a tag that nobody needs may lie behind the end, one that is needed may not", async () => {
  const samples = new Uint8Array(15).fill(7);
  expect([...(await readImage(tiff({ 269: 1 << 20 }, samples))).data]).toEqual([...samples]);
  await expect(readImage(tiff({ 257: 4 }, samples))).rejects.toThrow(FormatError);
  await expect(
    readImage(
      tiff(
        { 258: 12, 317: 2 },
        packed(12, (i) => i),
      ),
    ),
  ).rejects.toThrow(/predictor 2 is not one for 12 bits/);
});

test("pages that all have the same strip promise more than there is", async () => {
  const one = await tiff({ 256: 100, 257: 100 }, new Uint8Array(10_000)).bytes();
  const directory = one.subarray(8, one.length - 10_000);
  const two = new Uint8Array([...one, ...directory]);
  new DataView(two.buffer).setUint32(8 + directory.length - 4, one.length, true);
  expect((await readImage(named("a.tif", one))).shape).toEqual([1, 100, 100, 1]);
  await expect(readImage(named("a.tif", two))).rejects.toThrow(/its strips or tiles lie on one another/);
});

test("bits of each byte the other way round, packed and not", async () => {
  const turned = (b: number) => parseInt(b.toString(2).padStart(8, "0").split("").toReversed().join(""), 2);
  const value = (i: number) => (i * 5) % 16;
  const rows = packed(4, value);
  for (const [compression, samples] of [
    [1, rows],
    [32773, Uint8Array.of(rows.length - 1, ...rows)],
    [8, deflateSync(rows)],
  ] as const) {
    const picture = await readImage(tiff({ 258: 4, 259: compression, 266: 2 }, samples.map(turned)));
    for (let i = 0; i < width * height; i++) expect(picture.data[(i % width) * height + Math.floor(i / width)]).toBe(value(i));
  }
});

test("lengths of strips that nobody wrote, or of 0, where they are not needed", async () => {
  const samples = Uint8Array.from({ length: 15 }, (_, i) => i);
  const expected = [...(await readImage(tiff({}, samples))).data];
  expect([...(await readImage(tiff({ 279: undefined }, samples))).data]).toEqual(expected);
  expect([...(await readImage(tiff({ 279: 0 }, samples))).data]).toEqual(expected);
  expect([...(await readImage(tiff({ 259: 8, 279: undefined }, deflateSync(samples)))).data]).toEqual(expected);
  await expect(readImage(tiff({ 259: 8, 279: 0 }, deflateSync(samples)))).rejects.toThrow(FormatError);
});

test("a strip that was left out is zeros, as far as the file could hold them packed", async () => {
  const empty = { 273: 0, 279: 0 };
  expect([...(await readImage(tiff(empty, new Uint8Array(0)))).data]).toEqual(Array(15).fill(0));
  expect([...(await readImage(tiff({ ...empty, 259: 8 }, new Uint8Array(0)))).data]).toEqual(Array(15).fill(0));
  await expect(readImage(tiff({ ...empty, 256: 60_000, 257: 60_000 }, new Uint8Array(0)))).rejects.toThrow(/are left out/);
});

test("small copies of old writers are left out, and a picture that lies turned says so", async () => {
  await expect(readImage(tiff({ 255: 2 }, new Uint8Array(15)))).rejects.toThrow(/has no picture/);
  expect((await readImage(tiff({ 274: 6 }, new Uint8Array(15)))).meta.notes).toContainEqual(
    expect.stringContaining("Orientation 6"),
  );
  expect((await readImage(tiff({ 274: 1 }, new Uint8Array(15)))).meta.notes).toHaveLength(1);
});
