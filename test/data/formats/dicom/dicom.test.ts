/** @file DICOM files: encodings, stored bits, scaling, colors, frames and their places, and what is refused. */

import { deflateRawSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { readDicom } from "../../../../src/data/formats/dicom/read_dicom.ts";
import { FormatError } from "../../../../src/host/errors.ts";
import {
  type DicomEncoding,
  dicomSlice,
  type Elements,
  encodings,
  imageFile,
  type SliceOptions,
} from "../../../lib/dicom_file.ts";

const read = (options: SliceOptions) => readDicom(imageFile(dicomSlice(options)));
const refusal = async (options: SliceOptions): Promise<string> => {
  const error = await read(options).catch((e: unknown) => e);
  expect(error).toBeInstanceOf(FormatError);
  return (error as FormatError).message;
};

test("one slice: x is the first axis, the affine is RAS, spacing is of rows and then of columns", async () => {
  const volume = await read({ position: [10, -20, 5], pixels: [1, 2, 3, 4, 5, 6] });
  expect(volume.shape).toEqual([1, 3, 2, 1]);
  expect([...volume.data]).toEqual([1, 4, 2, 5, 3, 6]);
  expect(volume.data).toBeInstanceOf(Uint16Array);
  expect(volume.affine).toEqual([
    [-1.5, 0, 0, -10],
    [0, -2.5, 0, 20],
    [0, 0, 3, 5],
    [0, 0, 0, 1],
  ]);
});

test.for(["implicit", "explicit", "delimited", "bigEndian", "deflated"] as const)("%s: the same voxels", async (name) => {
  const item: Elements = new Map([[0x00080100, ["SH", "code"]]]);
  const sequence = ["SQ", [item, new Map()]] as const;
  const encoding: DicomEncoding = encodings[name];
  const volume = await read({
    encoding,
    pixels: [1, 2, 3, 4, 500, 60000],
    more: { 0x00081140: sequence, 0x00091001: ["UN", Uint8Array.of(1, 2)] },
  });
  expect([...volume.data]).toEqual([1, 4, 2, 500, 3, 60000]);
});

test("a data set without preamble and meta information is read", async () => {
  const bytes = dicomSlice({ encoding: encodings.implicit });
  const meta = 132 + 8 + "1.2.840.10008.1.2".length + 1;
  const volume = await readDicom(imageFile(bytes.slice(meta)));
  expect(volume.shape).toEqual([1, 3, 2, 1]);
});

test("a data set without preamble that has the mark DICM among its values", async () => {
  const of = (text: string) => dicomSlice({ more: { 0x00081030: ["LO", text] } }).slice(132 + 28);
  const long = "x".repeat(120);
  const at = new TextDecoder("latin1").decode(of(long)).indexOf("xxxx");
  const bytes = of(`${"x".repeat(128 - at)}DICM`.padEnd(120, "x"));
  expect(new TextDecoder().decode(bytes.subarray(128, 132))).toBe("DICM");
  expect((await readDicom(imageFile(bytes))).shape).toEqual([1, 3, 2, 1]);
});

test("meta information without preamble, of which the first elements are left out", async () => {
  const volume = await readDicom(imageFile(dicomSlice({ pixels: [1, 2, 3, 4, 5, 6] }).slice(132)));
  expect([...volume.data]).toEqual([1, 4, 2, 5, 3, 6]);
});

test("marks of items that stand where no sequence is are passed over", async () => {
  const bytes = dicomSlice({ pixels: [1, 2, 3, 4, 5, 6], more: { 0x00181030: ["LO", "mark"] } });
  const place = Buffer.from(bytes).indexOf("mark") - 8;
  const item = Uint8Array.of(0xfe, 0xff, 0x00, 0xe0, 4, 0, 0, 0, 1, 2, 3, 4, 0xfe, 0xff, 0xdd, 0xe0, 0, 0, 0, 0);
  const stray = new Uint8Array([...bytes.subarray(0, place), ...item, ...bytes.subarray(place)]);
  expect([...(await readDicom(imageFile(stray))).data]).toEqual([1, 4, 2, 5, 3, 6]);
});

describe("stored values", () => {
  const us = (tag: number, value: number) => ({ [tag]: ["US", [value]] as const });

  test("bits outside of those stored are dropped, with the sign of the highest", async () => {
    const more = { ...us(0x00280101, 12), ...us(0x00280102, 11), ...us(0x00280103, 1) };
    const volume = await read({ pixels: [0xf001, 0x0fff, 0x0800, 0x17ff, 0, 1], more });
    expect([...volume.data]).toEqual([1, 2047, -1, 0, -2048, 1]);
    expect(volume.data).toBeInstanceOf(Int16Array);
  });

  test("integer scaling keeps integers, other scaling is exact in float64", async () => {
    const scale = (slope: string, intercept: string) => ({
      0x00281053: ["DS", slope] as const,
      0x00281052: ["DS", intercept] as const,
    });
    const bits = { ...us(0x00280101, 12), ...us(0x00280102, 11) };
    const ct = await read({ pixels: [0, 1, 2, 3, 4, 4095], more: { ...bits, ...scale("1", "-1024") } });
    expect(ct.data).toBeInstanceOf(Int16Array);
    expect([...ct.data]).toEqual([-1024, -1021, -1023, -1020, -1022, 3071]);
    const wide = await read({ pixels: [0, 0, 0, 0, 0, 65535], more: scale("1", "-1024") });
    expect(wide.data).toBeInstanceOf(Float32Array);
    expect(wide.data[5]).toBe(64511);
    const pet = await read({ pixels: [0, 0, 0, 0, 0, 3], more: scale("32.1216", "-4047") });
    expect(pet.data).toBeInstanceOf(Float64Array);
    expect(pet.data[5]).toBe(3 * 32.1216 - 4047);
  });

  test("MONOCHROME1 and palettes stay as stored, with a note", async () => {
    const inverted = await read({ pixels: [1, 2, 3, 4, 5, 6], more: { 0x00280004: ["CS", "MONOCHROME1"] } });
    expect(inverted.data[0]).toBe(1);
    expect(inverted.meta.notes?.[0]).toMatch(/MONOCHROME1/);
    expect((await read({ more: { 0x00280004: ["CS", "PALETTE COLOR"] } })).meta.notes?.[0]).toMatch(/indices/);
  });

  test("masks of one bit run on from frame to frame", async () => {
    const more = { ...us(0x00280100, 1), ...us(0x00280101, 1), ...us(0x00280102, 0), 0x00280008: ["IS", "2"] as const };
    const volume = await read({ more: { ...more, 0x7fe00010: ["OB", Uint8Array.of(0b11000001, 0b1000)] } });
    expect(volume.shape).toEqual([1, 3, 2, 2]);
    expect(
      [0, 1].map((z) => Array.from({ length: 6 }, (_, p) => volume.data[((p % 3) * 2 + Math.floor(p / 3)) * 2 + z])),
    ).toEqual([
      [1, 0, 0, 0, 0, 0],
      [1, 1, 0, 0, 0, 1],
    ]);
  });

  const color = (photometric: string, planar: number, pixels: Uint8Array, other: SliceOptions = {}) =>
    read({
      ...other,
      size: [2, 1],
      more: {
        ...other.more,
        ...us(0x00280002, 3),
        ...us(0x00280006, planar),
        ...us(0x00280100, 8),
        ...us(0x00280101, 8),
        ...us(0x00280102, 7),
        0x00280004: ["CS", photometric],
        0x7fe00010: ["OB", pixels],
      },
    });

  test("colors are channels, side by side or in planes; YBR becomes RGB", async () => {
    const wanted = [10, 40, 20, 50, 30, 60];
    expect([...(await color("RGB", 0, Uint8Array.of(10, 20, 30, 40, 50, 60))).data]).toEqual(wanted);
    const planes = await color("RGB", 1, Uint8Array.from(wanted));
    expect(planes.shape).toEqual([3, 2, 1, 1]);
    expect([...planes.data]).toEqual(wanted);
    const ybr = [100, 90, 240, 50, 90, 240];
    const rgb = [255, 207, 33, 0, 33, 0];
    expect([...(await color("YBR_FULL", 0, Uint8Array.from(ybr))).data]).toEqual(rgb);
    expect([...(await color("YBR_FULL_422", 0, Uint8Array.of(100, 50, 90, 240))).data]).toEqual(rgb);
    const deflated = { encoding: encodings.deflated, more: { 0x00280008: ["IS", "2"] as const } };
    const twice = await color("YBR_FULL", 0, Uint8Array.from([...ybr, ...ybr]), deflated);
    expect([...twice.data]).toEqual(rgb.flatMap((v) => [v, v]));
  });

  test("RLE: literal and repeated runs, the high byte first", async () => {
    const frame = new Uint8Array(64 + 10);
    const view = new DataView(frame.buffer);
    view.setUint32(0, 2, true);
    view.setUint32(4, 64, true);
    view.setUint32(8, 66, true);
    frame.set([251, 1, 1, 7, 8, 254, 9, 0, 5], 64);
    const more = { 0x7fe00010: ["OB", { fragments: [new Uint8Array(0), frame] }] as const };
    const volume = await read({ encoding: encodings.rle, more });
    expect([...volume.data]).toEqual([263, 265, 264, 265, 265, 261]);
    frame[64] = 253;
    expect(await refusal({ encoding: encodings.rle, more })).toMatch(/plane 0 of an RLE frame has 4 of 6 bytes/);
  });

  test("masks of one bit that are packed by RLE or deflate begin each frame with a byte", async () => {
    const bits = { ...us(0x00280100, 1), ...us(0x00280101, 1), ...us(0x00280102, 0), 0x00280008: ["IS", "2"] as const };
    const rle = (byte: number) => {
      const out = new Uint8Array(66);
      new DataView(out.buffer).setUint32(0, 1, true);
      new DataView(out.buffer).setUint32(4, 64, true);
      out.set([0, byte], 64);
      return out;
    };
    const frames = [0b11000001, 0b00100011];
    for (const [encoding, pack] of [
      [encodings.rle, rle],
      [encodings.deflatedFrames, (byte: number) => deflateRawSync(Uint8Array.of(byte))],
    ] as const) {
      const fragments = [new Uint8Array(0), ...frames.map(pack)];
      const volume = await read({ encoding, more: { ...bits, 0x7fe00010: ["OB", { fragments }] } });
      const found = [0, 1].map((z) =>
        Array.from({ length: 6 }, (_, p) => volume.data[((p % 3) * 2 + Math.floor(p / 3)) * 2 + z]),
      );
      expect(found).toEqual([
        [1, 0, 0, 0, 0, 0],
        [1, 1, 0, 0, 0, 1],
      ]);
    }
  });

  test("deflated frames of words; one that is too short", async () => {
    const fragments = [new Uint8Array(0), new Uint8Array(deflateRawSync(Uint8Array.of(1, 0, 2, 0, 3, 0, 4, 0, 5, 0, 1, 1)))];
    const more = { 0x7fe00010: ["OB", { fragments }] as const };
    expect([...(await read({ encoding: encodings.deflatedFrames, more })).data]).toEqual([1, 4, 2, 5, 3, 257]);
    fragments[1] = new Uint8Array(deflateRawSync(new Uint8Array(11)));
    expect(await refusal({ encoding: encodings.deflatedFrames, more })).toMatch(
      /a deflated frame (has 11 bytes; expected 12|is damaged)/,
    );
    fragments[1] = Uint8Array.of(255, 255, 255, 255);
    expect(await refusal({ encoding: encodings.deflatedFrames, more })).toMatch(/a deflated frame is damaged/);
  });
});

describe("refused", () => {
  test.for([
    ["1.2.840.10008.5.1.4.1.1.481.3", /RTSTRUCT/],
    ["1.2.840.10008.5.1.4.1.1.88.11", /structured report/],
    ["1.2.840.10008.5.1.4.1.1.104.1", /PDF/],
    ["1.2.840.10008.1.3.10", /DICOMDIR/],
  ] as const)("%s by name", async ([uid, name]) => {
    expect(await refusal({ more: { 0x00080016: ["UI", uid] } })).toMatch(name);
  });

  test.for([
    ["cut pixels", { pixels: [1, 2, 3] }, /promises 3×2 pixels of 16 bits \(12 bytes\), but 6 bytes/],
    ["a frame count without frames", { more: { 0x00280008: ["IS", "2000000000"] } }, /2000000000 frames/],
    ["24 bits", { more: { 0x00280100: ["US", [24]] } }, /bitsAllocated is 24/],
    ["no rows", { more: { 0x00280010: undefined } }, /rows is missing/],
    ["no pixels", { more: { 0x7fe00010: undefined } }, /has no pixels/],
    ["a skewed plane", { orientation: [1, 0, 0, 1, 0, 0] }, /ImageOrientationPatient/],
    ["slope 0", { more: { 0x00281053: ["DS", "0"] } }, /slope is 0/],
    ["a video", { encoding: { ...encodings.explicit, syntax: "1.2.840.10008.1.2.4.102" } }, /a video/],
    ["a syntax of the future", { encoding: { ...encodings.explicit, syntax: "1.2.3.4" } }, /1\.2\.3\.4/],
  ] as const satisfies readonly (readonly [string, SliceOptions, RegExp])[])("%s", async ([, options, message]) => {
    expect(await refusal(options)).toMatch(message);
  });

  test("what is no DICOM", async () => {
    await expect(readDicom(imageFile(new Uint8Array(300), "zeros"))).rejects.toThrow(/zeros: is no DICOM file/);
    await expect(readDicom(imageFile(new Uint8Array(0), "empty"))).rejects.toThrow(FormatError);
  });

  test("sequences nested without end", async () => {
    const nest = (depth: number): Elements => new Map(depth === 0 ? [] : [[0x00081140, ["SQ", [nest(depth - 1)]] as const]]);
    const more = { 0x00081140: ["SQ", [nest(60)]] as const };
    expect(await refusal({ more, encoding: encodings.delimited })).toMatch(/nested/);
  });
});
