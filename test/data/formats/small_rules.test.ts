/** @file Small rules of readers that whole files hardly reach: names of patterns, markers of JPEG, scaling as a header has it, formats without a place. */
import { describe, expect, test } from "vitest";
import { namesOfPattern } from "../../../src/data/formats/data_files.ts";
import { jpegHeader } from "../../../src/data/formats/dicom/codestream.ts";
import { formats } from "../../../src/data/formats/formats.ts";
import { encodeNifti, makeVolume, readNifti } from "../../../src/data/index.ts";
import { FormatError } from "../../../src/host/errors.ts";

const fail = (why: string) => new FormatError(why);

describe("names of a pattern", () => {
  test("of several files, of one, backwards, filled with zeros or blanks", () => {
    expect(namesOfPattern("s%03d.raw", 8, 10, 1, fail)).toEqual(["s008.raw", "s009.raw", "s010.raw"]);
    expect(namesOfPattern("s%d.raw", 5, 5, 1, fail)).toEqual(["s5.raw"]);
    expect(namesOfPattern("s%2d.raw", 3, 1, -2, fail)).toEqual(["s 3.raw", "s 1.raw"]);
    expect(namesOfPattern("s%d.raw", 1, 6, 2, fail)).toEqual(["s1.raw", "s3.raw", "s5.raw"]);
  });

  test.each([
    ["s.raw", 1, 2, 1],
    ["s%d.raw", 2, 1, 1],
    ["s%d.raw", 1, 2, 0],
    ["s%d.raw", 1, 2, 0.5],
    ["s%d.raw", 1, 1e9, 1],
  ])("%s from %d to %d by %d are none", (pattern, first, last, step) => {
    expect(() => namesOfPattern(pattern, first, last, step, fail)).toThrow(/names no files/);
  });
});

describe("the header of a JPEG", () => {
  const segment = (marker: number, body: readonly number[]) => [0xff, marker, 0, body.length + 2, ...body];
  const text = (s: string) => [...s].map((c) => c.charCodeAt(0));
  const frame = segment(0xc0, [8, 0, 2, 0, 3, 3, 1, 0x11, 0, 2, 0x11, 0, 3, 0x11, 0]);
  const adobe = (transform: number) => segment(0xee, [...text("Adobe"), 0, 100, 0, 0, 0, 0, transform]);
  const jfif = segment(0xe0, [...text("JFIF"), 0, 1, 1, 0, 0, 1, 0, 1, 0, 0]);
  const jpeg = (...segments: number[][]) => Uint8Array.of(0xff, 0xd8, ...segments.flat(), 0xff, 0xd9);

  test.each([0, 1])("Adobe's color transform %d, and where it stands", (transform) => {
    const bytes = jpeg(adobe(transform), frame);
    const { adobe: found, adobeAt, ...rest } = jpegHeader(bytes, fail);
    expect(found).toBe(transform);
    expect(bytes[adobeAt!]).toBe(transform);
    expect(rest).toEqual({ kind: "jpeg", precision: 8, height: 2, width: 3, components: 3, ids: [1, 2, 3], jfifAt: undefined });
  });

  test("none, JFIF, a marker of Adobe that is too short, filled markers", () => {
    expect(jpegHeader(jpeg(frame), fail)).toMatchObject({ adobe: undefined, adobeAt: undefined, jfifAt: undefined });
    expect(jpegHeader(jpeg(jfif, frame), fail)).toMatchObject({ adobe: undefined, jfifAt: 6 });
    expect(jpegHeader(jpeg(segment(0xee, text("Adobe12")), frame), fail).adobe).toBeUndefined();
    expect(jpegHeader(jpeg([0xff], adobe(1), [0xff, 0xff], frame), fail).adobe).toBe(1);
  });
});

test("scaling is told as the header has it, and nothing where it changes nothing", async () => {
  const affine = [0, 1, 2, 3].map((i) => [0, 1, 2, 3].map((j) => Number(i === j)));
  const plain = encodeNifti(makeVolume({ data: Int16Array.of(1, 2, 3), shape: [1, 3, 1, 1] }, affine));
  const scaled = (slope: number, inter: number) => {
    const bytes = plain.slice();
    const view = new DataView(bytes.buffer);
    view.setFloat32(112, slope, true);
    view.setFloat32(116, inter, true);
    return readNifti(bytes);
  };
  expect((await scaled(1, 0)).meta.fields).toBeUndefined();
  const twice = await scaled(2, 0);
  expect([twice.meta.fields, [...twice.data]]).toEqual([{ scl_slope: 2, scl_inter: 0 }, [2, 4, 6]]);
  const more = await scaled(1, 5);
  expect([more.meta.fields, [...more.data]]).toEqual([{ scl_slope: 1, scl_inter: 5 }, [6, 7, 8]]);
});

test("formats that do not say where an image lies say so", () => {
  const titles = (placeless: boolean) =>
    formats.filter((f) => f.write && (f.placeless ?? false) === placeless).map((f) => f.title);
  expect(titles(true)).toEqual(["NumPy", "PNG", "TIFF", "Analyze 7.5"]);
  expect(titles(false)).toEqual(["NIfTI", "NRRD", "MetaImage", "MGH"]);
});
