/** @file NRRD, MetaImage and NumPy files as others write them: encodings, spaces, data apart, and what is refused with the field that is wrong. */

import { deflateSync, gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { readImage } from "../../../src/data/formats/read_image.ts";
import { FormatError } from "../../../src/host/errors.ts";
import { joined, named, text } from "../../lib/written_files.ts";

describe("NRRD", () => {
  const head = ["NRRD0004", "type: uchar", "dimension: 3", "sizes: 2 3 2", "encoding: raw"];
  const bytes = Uint8Array.from({ length: 12 }, (_, i) => i);
  // x fastest in the file, z in the volume.
  const turned = [0, 6, 2, 8, 4, 10, 1, 7, 3, 9, 5, 11];
  const nrrd = (lines: readonly string[], data: Uint8Array = bytes) => joined(lines.join("\n"), "\n\n", data);

  test("encodings: raw, gzip, text, hex; line endings and comments", async () => {
    const as = (encoding: string) => [...head.slice(0, 4), `encoding: ${encoding}`];
    const hex = [...bytes].map((b) => b.toString(16).padStart(2, "0")).join("\n");
    for (const file of [
      nrrd(head),
      nrrd(as("gzip"), gzipSync(bytes)),
      nrrd(as("txt"), text([[...bytes].join(" ")])),
      nrrd(as("hex"), text([hex])),
      joined(["NRRD0004", "# made by hand", ...head.slice(1), "key:=value: with = colons", "", ""].join("\r\n"), bytes),
    ])
      expect([...(await readImage(file)).data]).toEqual(turned);
    await expect(readImage(nrrd(as("bzip2")))).rejects.toThrow(/bzip2 data do not begin as bzip2 does/);
    await expect(readImage(nrrd(as("xz")))).rejects.toThrow(/encoding is "xz"; expected raw, gzip, bzip2/);
  });

  test("spaces: RAS, LPS and the words for them; directions of two and of four axes", async () => {
    const at = (space: string) =>
      nrrd([...head, `space: ${space}`, "space directions: (2,0,0) (0,3,0) (0,0,4)", "space origin: (1,2,3)"]);
    expect((await readImage(at("right-anterior-superior"))).affine.slice(0, 3)).toEqual([
      [2, 0, 0, 1],
      [0, 3, 0, 2],
      [0, 0, 4, 3],
    ]);
    for (const space of ["left-posterior-superior", "LPS"]) {
      expect((await readImage(at(space))).affine.slice(0, 3)).toEqual([
        [-2, 0, 0, -1],
        [0, -3, 0, -2],
        [0, 0, 4, 3],
      ]);
    }
    expect((await readImage(at("LAS"))).affine.slice(0, 3)).toEqual([
      [-2, 0, 0, -1],
      [0, 3, 0, 2],
      [0, 0, 4, 3],
    ]);
    const vectors = await readImage(
      nrrd([
        "NRRD0004",
        "type: uchar",
        "dimension: 4",
        "sizes: 2 3 2 1",
        "encoding: raw",
        "kinds: vector domain domain domain",
        "space: RAS",
        "space directions: none (1,0,0) (0,1,0) (0,0,1)",
      ]),
    );
    expect([vectors.shape, [...vectors.data]]).toEqual([
      [2, 3, 2, 1],
      [0, 6, 2, 8, 4, 10, 1, 7, 3, 9, 5, 11],
    ]);
    const flat = await readImage(
      nrrd(["NRRD0004", "type: uchar", "dimension: 2", "sizes: 3 4", "encoding: raw", "spacings: 2 3"]),
    );
    expect([flat.shape, flat.spacing]).toEqual([
      [1, 3, 4, 1],
      [2, 3, 1],
    ]);
  });

  test("units: of the space, of the axes, of the first that is one of space; centimeters become millimeters", async () => {
    const four = [
      "NRRD0005",
      "type: uchar",
      "dimension: 4",
      "sizes: 1 2 3 2",
      "encoding: raw",
      "kinds: vector domain domain domain",
    ];
    const placed = [...four, "space: RAS", "space directions: none (1,0,0) (0,2,0) (0,0,3)", "space origin: (4,5,6)"];
    const spaced = [...four, "spacings: nan 1 2 3"];
    for (const [lines, units, scale] of [
      [[...placed, 'space units: "\u00b5m" "\u00b5m" "\u00b5m"'], "um", 1],
      [[...placed, 'space units: "\u03bcm" "\u03bcm" "\u03bcm"'], "um", 1],
      [[...placed, 'space units: "microns" "microns" "microns"'], "um", 1],
      [[...placed, 'space units: "cm" "cm" "cm"'], "mm", 10],
      [[...placed, 'space units: "nm" "nm" "nm"'], "um", 1e-3],
      [[...placed, 'units: "" "mm" "mm" "mm"'], "mm", 1],
      [[...spaced, 'units: "" "um" "um" "um"'], "um", 1],
      [[...spaced, 'units: "" "cm" "cm" "cm"'], "mm", 10],
      [placed, "unknown", 1],
    ] as const) {
      const volume = await readImage(nrrd(lines));
      expect(volume.units, lines.at(-1)).toBe(units);
      expect(volume.spacing, lines.at(-1)).toEqual([scale, 2 * scale, 3 * scale]);
      if (lines.includes(placed[6])) expect(volume.affine.map((row) => row[3])).toEqual([4 * scale, 5 * scale, 6 * scale, 1]);
    }
  });

  test("axes in units of their own are refused, and are one if they are called differently", async () => {
    const lines = [...head, "spacings: 2 3 4"];
    for (const units of ['units: "mm" "mm" "um"', 'space units: "cm" "mm" "mm"'])
      await expect(readImage(nrrd([...lines, units]))).rejects.toThrow(
        /in "(mm|cm)" along one axis and in "(um|mm)" along another/,
      );
    for (const units of ['units: "mm" "millimeter" ""', 'units: "" "mm" "mm"', 'space units: "mm" "mm" "mm" "s"'])
      expect((await readImage(nrrd([...lines, units]))).units).toBe("mm");
  });

  test("an origin in a space without directions", async () => {
    for (const [space, at] of [
      ["LPS", [-1, -2, 3]],
      ["RAS", [1, 2, 3]],
    ] as const) {
      const { affine, meta } = await readImage(nrrd([...head, `space: ${space}`, "spacings: 2 3 4", "space origin: (1,2,3)"]));
      expect([affine.slice(0, 3).map((row) => row[3]), meta.unplaced]).toEqual([at, true]);
    }
  });

  test("an axis that goes along time is one of channels, also where no kind says so", async () => {
    const volume = await readImage(
      nrrd([
        "NRRD0005",
        "type: uchar",
        "dimension: 4",
        "sizes: 2 3 2 1",
        "encoding: raw",
        "space: right-anterior-superior-time",
        "space directions: (0,0,0,2) (1,0,0,0) (0,1,0,0) (0,0,1,0)",
      ]),
    );
    expect([volume.shape, volume.spacing]).toEqual([
      [2, 3, 2, 1],
      [1, 1, 1],
    ]);
  });

  test("64-bit integers in text that no number holds are refused, as those in bytes are", async () => {
    const lines = ["NRRD0005", "type: int64", "dimension: 1", "sizes: 2", "encoding: ascii"];
    expect([...(await readImage(nrrd(lines, text(["9007199254740991 -9007199254740991"])))).data]).toEqual([
      9007199254740991, -9007199254740991,
    ]);
    await expect(readImage(nrrd(lines, text(["0 9007199254740993"])))).rejects.toThrow(/voxel 1 .* beyond 2\^53/);
  });

  test("data apart: one file, a list, a pattern", async () => {
    const [a, b] = [named("d1.raw", bytes.subarray(0, 6)), named("d2.raw", bytes.subarray(6))];
    const header = (line: string) =>
      named("h.nhdr", text([...head, line, ...(line.endsWith("LIST") ? ["d1.raw", "d2.raw"] : []), ""]));
    for (const line of ["data file: LIST", "data file: d%d.raw 1 2 1 2", "data file: d%i.raw 1 2 1 2"])
      expect([...(await readImage([header(line), a, b])).data]).toEqual(turned);
    expect([...(await readImage([header("data file: d.raw"), named("d.raw", bytes)])).data]).toEqual(turned);
    await expect(readImage([header("data file: LIST"), a])).rejects.toThrow(/d2.raw/);
  });

  test.each([
    ["no endian", ["NRRD0004", "type: short", ...head.slice(2)], /endian is missing/],
    ["a wrong type", ["NRRD0004", "type: block", ...head.slice(2)], /type is "block"/],
    ["a size of 0", ["NRRD0004", "type: uchar", "dimension: 1", "sizes: 0", "encoding: raw"], /sizes has 0/],
    [
      "more voxels than there are",
      ["NRRD0004", "type: uchar", "dimension: 1", "sizes: 99999999999", "encoding: raw"],
      /take 99999999999 bytes/,
    ],
    ["a singular space", [...head, "space: RAS", "space directions: (1,0,0) (1,0,0) (0,0,1)"], /space directions .* singular/],
    ["a line without a field", [...head, "what is this"], /line 6 is "what is this"/],
  ])("%s is refused with the field", async (_name, lines, message) => {
    await expect(readImage(nrrd(lines))).rejects.toThrow(FormatError);
    await expect(readImage(nrrd(lines))).rejects.toThrow(message);
  });
});

describe("MetaImage", () => {
  test("DistanceUnits, and fields in another order", async () => {
    const lines = [
      "BinaryData = True",
      "NDims = 3",
      "DimSize = 2 3 2",
      "ElementType = MET_UCHAR",
      "ElementSpacing = 1 2 3",
      "Offset = 4 5 6",
    ];
    const data = Uint8Array.from({ length: 12 }, (_, i) => i);
    for (const [name, units, scale] of [
      ["um", "um", 1],
      ["mm", "mm", 1],
      ["cm", "mm", 10],
      ["?", "mm", 1],
    ] as const) {
      const file = joined([...lines, `DistanceUnits = ${name}`, "ElementDataFile = LOCAL", ""].join("\n"), data);
      const volume = await readImage(named("a.mha", file));
      expect([volume.units, volume.spacing, volume.meta.spacing]).toEqual([
        units,
        [scale, 2 * scale, 3 * scale],
        [scale, 2 * scale, 3 * scale],
      ]);
      expect(volume.affine.map((row) => row[3])).toEqual([-4 * scale, -5 * scale, 6 * scale, 1]);
    }
  });

  const head = ["ObjectType = Image", "NDims = 3", "DimSize = 2 3 2", "ElementType = MET_UCHAR"];
  const bytes = Uint8Array.from({ length: 12 }, (_, i) => i);
  const turned = [0, 6, 2, 8, 4, 10, 1, 7, 3, 9, 5, 11];
  const mha = (lines: readonly string[], data: Uint8Array = bytes) =>
    joined([...lines, "ElementDataFile = LOCAL", ""].join("\n"), data);

  test("packed with and without its size, text, and channels side by side", async () => {
    const packed = deflateSync(bytes);
    for (const file of [
      mha(head),
      mha([...head, "CompressedData = True"], packed),
      mha([...head, "CompressedData = True", `CompressedDataSize = ${packed.length}`], joined(packed, "behind")),
      mha([...head, "BinaryData = False"], text([[...bytes].join("\n")])),
    ])
      expect([...(await readImage(file)).data]).toEqual(turned);
    const colors = await readImage(
      mha(["NDims = 2", "DimSize = 2 2", "ElementNumberOfChannels = 3", "ElementType = MET_UCHAR_ARRAY"]),
    );
    expect([colors.shape, [...colors.data]]).toEqual([
      [3, 2, 2, 1],
      [0, 6, 3, 9, 1, 7, 4, 10, 2, 8, 5, 11],
    ]);
    await expect(readImage(mha([...head, "CompressedData = True"]))).rejects.toThrow(FormatError);
  });

  test("a row of the matrix is the direction of an axis, in LPS", async () => {
    const lines = [...head, "ElementSpacing = 2 3 4", "TransformMatrix = 0 1 0 -1 0 0 0 0 1", "Offset = 5 6 7"];
    expect((await readImage(mha(lines))).affine.slice(0, 3)).toEqual([
      [0, 3, 0, -5],
      [-2, 0, 0, -6],
      [0, 0, 4, 7],
    ]);
  });

  test("data apart: a list, a pattern, HeaderSize", async () => {
    const [a, b] = [named("d1.raw", bytes.subarray(0, 6)), named("d2.raw", bytes.subarray(6))];
    const header = (...lines: string[]) => named("h.mhd", text([...head, ...lines, ""]));
    expect([...(await readImage([header("ElementDataFile = LIST", "d1.raw", "d2.raw"), a, b])).data]).toEqual(turned);
    expect([...(await readImage([header("ElementDataFile = d%d.raw 1 2 1"), a, b])).data]).toEqual(turned);
    const padded = named("p.raw", joined("header", bytes));
    for (const size of [6, -1])
      expect([...(await readImage([header(`HeaderSize = ${size}`, "ElementDataFile = p.raw"), padded])).data]).toEqual(turned);
  });
});

describe("NumPy", () => {
  const npy = (dict: string, data: Uint8Array = new Uint8Array(96)) =>
    joined(Uint8Array.of(0x93), "NUMPY", Uint8Array.of(1, 0, dict.length, 0), dict, data);
  test.each([
    ["pickles", "{'descr': '|O', 'fortran_order': False, 'shape': (3,), }", /Python objects/],
    ["records", "{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (3,), }", /records of several fields/],
    ["complex", "{'descr': '<c8', 'fortran_order': False, 'shape': (3,), }", /descr is "<c8"/],
    ["more than there is", "{'descr': '<f8', 'fortran_order': False, 'shape': (300, 300), }", /ends after 96/],
    ["no dict", "hello", /expected descr/],
  ])("%s are refused", async (_name, dict, message) => {
    await expect(readImage(npy(dict))).rejects.toThrow(FormatError);
    await expect(readImage(npy(dict))).rejects.toThrow(message);
  });

  test("Fortran order and byte order", async () => {
    const data = new Uint8Array(new Uint16Array([1, 2, 3, 4, 5, 6]).buffer);
    const big = Uint8Array.from(data, (_, i) => data[i ^ 1]);
    const fortran = await readImage(npy("{'descr': '>u2', 'fortran_order': True, 'shape': (2, 3), }", big));
    expect([fortran.shape, [...fortran.data]]).toEqual([
      [1, 2, 3, 1],
      [1, 3, 5, 2, 4, 6],
    ]);
  });
});
