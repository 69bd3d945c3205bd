/** @file TIFF whose strips and tiles are JPEG, as libtiff and tifffile write them: read as Pillow does. */

import { expect, test } from "vitest";
import { readImage } from "../../../src/data/formats/read_image.ts";
import { FormatError } from "../../../src/host/errors.ts";
import { readFixture } from "../../lib/fixture.ts";
import { joined, named } from "../../lib/written_files.ts";

const bytes = (base64: string): Uint8Array<ArrayBuffer> => Uint8Array.from(Buffer.from(base64, "base64"));

interface Stored {
  readonly width: number;
  readonly height: number;
  readonly cases: readonly { readonly name: string; readonly file: string; readonly pages: readonly string[] }[];
}
const { width, height, cases } = readFixture<Stored>("tiff_jpeg.json");

test.each(cases)("$name", async ({ file, pages }) => {
  const picture = await readImage(named("a.tif", bytes(file)));
  const channels = bytes(pages[0]).length / (width * height);
  expect(picture.shape).toEqual([channels, width, height, pages.length]);
  let [worst, sum] = [0, 0];
  for (const [z, page] of pages.map(bytes).entries()) {
    for (const [i, value] of page.entries()) {
      const [c, x, y] = [i % channels, Math.floor(i / channels) % width, Math.floor(i / channels / width)];
      const off = Math.abs(picture.data[((c * width + x) * height + y) * pages.length + z] - value);
      [worst, sum] = [Math.max(worst, off), sum + off];
    }
  }
  // Gray values are the codec's; colors are rounded once, where libjpeg rounds its factors first.
  expect(worst).toBeLessThanOrEqual(channels === 1 ? 0 : 1);
  expect(sum / (pages.length * width * height * channels)).toBeLessThan(0.1);
});

test("a predictor of another compression, which JPEG does not obey, changes nothing", async () => {
  for (const { name, file } of cases) {
    const plain = bytes(file);
    const told = withTag(plain, 317, 2);
    if (!told) continue;
    expect((await readImage(named("a.tif", told))).data, name).toEqual((await readImage(named("a.tif", plain))).data);
  }
  expect(cases.filter(({ file }) => withTag(bytes(file), 317, 2)).length).toBeGreaterThan(0);
});

/** The file with an entry more in its first directory, which goes to the end; undefined for another byte order. */
function withTag(file: Uint8Array, tag: number, value: number): Uint8Array<ArrayBuffer> | undefined {
  const from = new DataView(file.buffer, file.byteOffset, file.byteLength);
  if (from.getUint16(0) !== 0x4949 || from.getUint16(2, true) !== 42) return undefined;
  const start = from.getUint32(4, true);
  const count = from.getUint16(start, true);
  const end = start + 2 + 12 * count;
  const entry = new Uint8Array(12);
  const to = new DataView(entry.buffer);
  for (const [at, v] of [[0, tag], [2, 3], [8, value]]) to.setUint16(at, v, true); // oxfmt-ignore
  to.setUint32(4, 1, true);
  const entries = Array.from({ length: count }, (_, i) => file.subarray(start + 2 + 12 * i, start + 14 + 12 * i));
  const behind = entries.findIndex((e) => e[0] + 256 * e[1] > tag);
  const all = entries.toSpliced(behind < 0 ? count : behind, 0, entry);
  const counted = Uint8Array.of((count + 1) & 255, (count + 1) >> 8);
  const out = joined(file, counted, ...all, file.subarray(end, end + 4)) as Uint8Array<ArrayBuffer>;
  new DataView(out.buffer, out.byteOffset).setUint32(4, file.length, true);
  return out;
}

test("rows of a last strip that the picture has not are left out, of each page", async () => {
  const { file, pages } = cases.find(({ name }) => name.includes("two pages"))!;
  const whole = await readImage(named("a.tif", bytes(file)));
  const shown = 30; // of strips of 16 rows
  const cut = await readImage(named("a.tif", withHeight(bytes(file), shown)));
  expect(cut.shape).toEqual([3, width, shown, pages.length]);
  const lines = Array.from({ length: 3 * width }, (_, line) => line * height * pages.length);
  expect([...cut.data]).toEqual(lines.flatMap((at) => [...whole.data.subarray(at, at + shown * pages.length)]));
});

/** A little-endian BigTIFF with another height on every page. */
function withHeight(file: Uint8Array<ArrayBuffer>, rows: number): Uint8Array<ArrayBuffer> {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const number = (at: number): number => Number(view.getBigUint64(at, true));
  for (let start = number(8); start > 0; start = number(start + 8 + 20 * number(start)))
    for (let at = start + 8; at < start + 8 + 20 * number(start); at += 20)
      if (view.getUint16(at, true) === 257) view.setUint32(at + 12, rows, true);
  return file;
}

test("a damaged stream, and one that claims more pixels than its bytes can hold, are refused", async () => {
  const whole = bytes(cases[0].file);
  const soi = whole.findIndex((b, i) => b === 0xff && whole[i + 1] === 0xd8);
  const noJpeg = whole.slice();
  noJpeg[soi] = 0;
  const error = await readImage(named("a.tif", noJpeg)).catch((e: unknown) => e);
  expect(error).toBeInstanceOf(FormatError);
  expect((error as Error).message).toMatch(/JPEG/);
  const huge = whole.slice();
  for (let i = 0; i + 8 < huge.length; i++)
    if (huge[i] === 0xff && huge[i + 1] === 0xc0) huge.set([0xff, 0xff, 0xff, 0xff], i + 5);
  await expect(readImage(named("a.tif", huge))).rejects.toThrow(/claims 65535 × 65535 pixels/);
});
