/** @file DICOM segmentations as label maps: sparse frames of several segments, names, overlap, fractions, label maps, the grid of the image. */

import { describe, expect, test } from "vitest";
import { type ImageGrid, readDicom, readDicomSegmentation, type ReadSegmentationOptions } from "../../../../src/data/index.ts";
import { ConfigError, DataError, FormatError } from "../../../../src/host/errors.ts";
import { dicomFile, dicomSlice, type DicomValue, type Elements, imageFile } from "../../../lib/dicom_file.ts";

type Rows = readonly (readonly [number, readonly [string, DicomValue]])[];
const group = (...rows: Rows): Elements => new Map(rows);
const sequence = (...items: Elements[]): readonly [string, DicomValue] => ["SQ", items];

/** A frame: the segment, its place along z, and its 4 × 2 pixels, rows first. */
interface Frame {
  readonly segment?: number;
  readonly z?: number;
  readonly pixels: string;
}

const anatomy = [
  [1, "liver"],
  [7, "kidney"],
  [8, "kidney"],
] as const;

function segmentation(frames: readonly Frame[], more: Rows = [], type = "BINARY"): Uint8Array<ArrayBuffer> {
  const values = frames.flatMap((f) => [...f.pixels.replaceAll(" ", "")].map(Number));
  const bits = new Uint8Array(Math.ceil(values.length / 8));
  values.forEach((v, i) => (bits[i >> 3] |= v << (i & 7)));
  const binary = type === "BINARY";
  const place = ({ segment, z }: Frame) =>
    group(
      ...(z === undefined ? [] : ([[0x00209113, sequence(group([0x00200032, ["DS", `10\\20\\${z}`]]))]] as Rows)),
      ...(segment === undefined ? [] : ([[0x0062000a, sequence(group([0x0062000b, ["US", [segment]]]))]] as Rows)),
    );
  return dicomFile(
    new Map([
      [0x00080016, ["UI", `1.2.840.10008.5.1.4.1.1.66.${type === "LABELMAP" ? 7 : 4}`]],
      [0x00080060, ["CS", "SEG"]],
      [0x00280002, ["US", [1]]],
      [0x00280004, ["CS", "MONOCHROME2"]],
      [0x00280008, ["IS", String(frames.length)]],
      [0x00280010, ["US", [2]]],
      [0x00280011, ["US", [4]]],
      [0x00280100, ["US", [binary ? 1 : 8]]],
      [0x00280101, ["US", [binary ? 1 : 8]]],
      [0x00280102, ["US", [binary ? 0 : 7]]],
      [0x00280103, ["US", [0]]],
      [0x00620001, ["CS", type]],
      [0x00620002, sequence(...anatomy.map(([n, label]) => group([0x00620004, ["US", [n]]], [0x00620005, ["LO", label]])))],
      [
        0x52009229,
        sequence(
          group(
            [0x00209116, sequence(group([0x00200037, ["DS", "1\\0\\0\\0\\1\\0"]]))],
            [0x00289110, sequence(group([0x00280030, ["DS", "2\\1.5"]], [0x00180088, ["DS", "3"]]))],
          ),
        ),
      ],
      [0x52009230, sequence(...frames.map(place))],
      [0x7fe00010, ["OB", binary ? bits : Uint8Array.from(values)]],
      ...more,
    ] as [number, readonly [string, DicomValue]][]),
  );
}

const read = (bytes: Uint8Array<ArrayBuffer>, options?: ReadSegmentationOptions) =>
  readDicomSegmentation(imageFile(bytes, "seg.dcm"), options);

/** Rows of pixels of each slice, as they were written. */
const drawn = ({ data, shape: [c, nx, ny, nz] }: { data: ArrayLike<number>; shape: readonly number[] }): string[] =>
  Array.from({ length: c * nz }, (_, k) =>
    Array.from({ length: ny }, (_, y) =>
      Array.from({ length: nx }, (_, x) => data[((Math.floor(k / nz) * nx + x) * ny + y) * nz + (k % nz)]).join(""),
    ).join(" "),
  );

const frames: Frame[] = [
  { segment: 1, z: 8, pixels: "1100 1000" },
  { segment: 7, z: 8, pixels: "0011 0000" },
  { segment: 1, z: -1, pixels: "0000 0001" },
];

describe("readDicomSegmentation", () => {
  test("frames of segments become a label map with names; slices that were left out are empty", async () => {
    const { labels, classes } = await read(segmentation(frames));
    expect(drawn(labels)).toEqual(["0000 0001", "0000 0000", "0000 0000", "1177 1000"]);
    expect(classes).toEqual([
      { name: "background", values: [0] },
      { name: "liver", values: [1] },
      { name: "kidney (7)", values: [7] },
      { name: "kidney (8)", values: [8] },
    ]);
    expect(labels.affine.slice(0, 3)).toEqual([
      [-1.5, 0, 0, -10],
      [0, -2, 0, -20],
      [0, 0, 3, -1],
    ]);
    expect(labels.meta).toMatchObject({ kind: "label", format: "dicom" });
  });

  test("on the grid of the image: other slices, another order, another origin", async () => {
    const like: ImageGrid = {
      shape: [1, 4, 6, 8],
      affine: [
        [1.5, 0, 0, -14.5],
        [0, -2, 0, -18],
        [0, 0, -3, 11],
        [0, 0, 0, 1],
      ],
    };
    const { labels } = await read(segmentation(frames), { like });
    expect([labels.shape, labels.affine]).toEqual([like.shape, like.affine]);
    const empty = "0000 0000 0000 0000 0000 0000";
    expect(drawn(labels)).toEqual([
      empty,
      "0000 7711 0001 0000 0000 0000",
      empty,
      empty,
      "0000 0000 1000 0000 0000 0000",
      empty,
      empty,
      empty,
    ]);
    const moved = { ...like, affine: like.affine.map((row, r) => row.map((v, c) => (r === 2 && c === 3 ? v + 1.2 : v))) };
    await expect(read(segmentation(frames), { like: moved })).rejects.toThrow(/frame 0 does not lie on the image's voxels/);
    await expect(read(segmentation(frames), { like: { ...like, shape: [1, 4, 6, 3] } })).rejects.toThrow(DataError);
  });

  test("segments by the first of their names that is there, missing ones left out, of another frame of reference told", async () => {
    const named = segmentation(frames.slice(0, 1), [[0x00200052, ["UI", "1.2.1"]]]);
    const own: ImageGrid = { ...(await read(named)).labels, meta: { frameOfReference: "1.2.1" } };
    const structures = ["spleen", ["Liver", "liver"]];
    await expect(read(named, { structures })).rejects.toThrow(/no structure "spleen"; there are liver, kidney, kidney/);
    const found = await read(named, { structures, missing: "empty", like: own });
    expect(drawn(found.labels)).toEqual(["2200 2000"]);
    expect(found.classes.slice(1)).toEqual([
      { name: "spleen", values: [1] },
      { name: "liver", values: [2] },
    ]);
    expect(found.labels.meta.notes).toEqual(['there is no structure "spleen": no voxel has its value']);
    const other = { ...own, meta: { frameOfReference: "1.2.2" } };
    expect((await read(named, { like: other })).labels.meta.notes?.[0]).toMatch(/in another frame of reference than the image/);
  });

  test("overlap is an error that names both, or a mask each", async () => {
    const overlapping = segmentation([...frames, { segment: 8, z: 8, pixels: "0110 0000" }]);
    await expect(read(overlapping)).rejects.toThrow(/structures 1 \(liver\) and 8 \(kidney\) overlap.*onehot/);
    const { labels } = await read(overlapping, { overlap: "onehot" });
    expect(labels.shape).toEqual([3, 4, 2, 4]);
    expect(drawn(labels).filter((_, k) => k % 4 === 3)).toEqual(["1100 1000", "0011 0000", "0110 0000"]);
  });

  test("shares from a threshold on, and label maps", async () => {
    const shares = segmentation([{ segment: 1, z: 0, pixels: "1234 5678" }], [[0x0062000e, ["US", [8]]]], "FRACTIONAL");
    expect(drawn((await read(shares)).labels)).toEqual(["0001 1111"]);
    expect(drawn((await read(shares, { threshold: 1 })).labels)).toEqual(["0000 0001"]);
    const map = segmentation([{ z: 0, pixels: "0178 8700" }], [], "LABELMAP");
    expect(drawn((await read(map)).labels)).toEqual(["0178 8700"]);
    await expect(read(segmentation([{ z: 0, pixels: "0200 0000" }], [], "LABELMAP"))).rejects.toThrow(
      /value 2, which is no segment/,
    );
  });

  test("what is no segmentation, or lies nowhere, is refused", async () => {
    await expect(read(dicomSlice())).rejects.toThrow(/is no segmentation; read it with readImage/);
    const flat = [1, 1].map((segment) => ({ segment, pixels: "1000 0000" }));
    await expect(read(segmentation(flat))).rejects.toThrow(/frames have no positions/);
    await expect(read(segmentation([{ segment: 3, z: 0, pixels: "1000 0000" }]))).rejects.toThrow(/segment 3, which its table/);
    await expect(read(segmentation([...frames, { segment: 1, z: 9.4, pixels: "1000 0000" }]))).rejects.toThrow(DataError);
    await expect(read(segmentation([...frames, { segment: 1, z: 299_999, pixels: "1000 0000" }]))).rejects.toThrow(FormatError);
    await expect(read(segmentation(frames), { overlap: "sum" as never })).rejects.toThrow(ConfigError);
    // The frames as they are stored, as before.
    const stored = await readDicom(imageFile(segmentation(frames)));
    expect(stored.meta.notes?.join()).toMatch(/readDicomSegmentation makes a label map/);
  });
});
