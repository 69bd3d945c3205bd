/** @file RT structure sets: listed, filled on the grid of an image, and what is refused. */

import { describe, expect, test } from "vitest";
import {
  type ImageGrid,
  listDicomStructures,
  readDicom,
  readDicomStructures,
  type ReadStructuresOptions,
} from "../../../../src/data/index.ts";
import { ConfigError, DataError, FormatError } from "../../../../src/host/errors.ts";
import { dicomFile, dicomSlice, type DicomValue, type Elements, encodings, imageFile } from "../../../lib/dicom_file.ts";

type Rows = readonly (readonly [number, readonly [string, DicomValue]])[];
const group = (...rows: Rows): Elements => new Map(rows);

interface Line {
  readonly kind?: string;
  /** x, y in LPS millimeters. */
  readonly at: readonly (readonly [number, number])[];
  readonly z: number;
}
interface Roi {
  readonly number: number;
  readonly name?: string;
  readonly type?: string;
  /** ReferencedFrameOfReferenceUID. */
  readonly frame?: string;
  readonly lines: readonly Line[];
}

function structureSet(rois: readonly Roi[], encoding = encodings.explicit as (typeof encodings)[keyof typeof encodings]) {
  const sequence = (...items: Elements[]) => ["SQ", items] as const;
  const lineOf = ({ kind = "CLOSED_PLANAR", at, z }: Line) =>
    group([0x30060042, ["CS", kind]], [0x30060050, ["DS", at.map(([x, y]) => `${x}\\${y}\\${z}`).join("\\")]]);
  return dicomFile(
    group(
      [0x00080016, ["UI", "1.2.840.10008.5.1.4.1.1.481.3"]],
      [0x00080060, ["CS", "RTSTRUCT"]],
      [
        0x30060020,
        sequence(
          ...rois.map((r) =>
            group(
              [0x30060022, ["IS", String(r.number)]],
              ...(r.frame ? ([[0x30060024, ["UI", r.frame]]] as Rows) : []),
              ...(r.name ? ([[0x30060026, ["LO", r.name]]] as Rows) : []),
            ),
          ),
        ),
      ],
      [
        0x30060039,
        sequence(
          ...rois.map(({ number, lines }) =>
            group(
              [0x3006002a, ["IS", "255\\0\\10"]],
              [0x30060040, sequence(...lines.map(lineOf))],
              [0x30060084, ["IS", String(number)]],
            ),
          ),
        ),
      ],
      [
        0x30060080,
        sequence(...rois.map((r) => group([0x30060084, ["IS", String(r.number)]], [0x300600a4, ["CS", r.type ?? ""]]))),
      ],
    ),
    encoding,
  );
}

const box = (x0: number, y0: number, x1: number, y1: number, z: number, kind?: string): Line => ({
  at: [
    [x0, y0],
    [x1, y0],
    [x1, y1],
    [x0, y1],
  ],
  z,
  kind,
});

// 6 × 5 voxels of 2 × 1 mm, 3 slices 4 mm apart; the first voxel lies at x = 10, y = 20, z = -4 (LPS).
const like: ImageGrid = {
  shape: [1, 6, 5, 3],
  affine: [
    [-2, 0, 0, -10],
    [0, -1, 0, -20],
    [0, 0, 4, -4],
    [0, 0, 0, 1],
  ],
};
const liver: Roi = {
  number: 40,
  name: "Liver",
  type: "ORGAN",
  lines: [box(11, 19.5, 19, 23.5, 0), box(13, 20.5, 17, 22.5, 0, "CLOSEDPLANAR_XOR"), box(9, 19, 13, 22.5, 4)],
};
const tumor: Roi = { number: 7, name: "GTV", lines: [box(13, 20.5, 17, 22.5, 0)] };
const point: Roi = { number: 9, lines: [{ kind: "POINT", at: [[1, 2]], z: 0 }] };

const read = (rois: readonly Roi[], options: Partial<ReadStructuresOptions> = {}) =>
  readDicomStructures(imageFile(structureSet(rois), "rt.dcm"), { like, ...options });

/** Rows of pixels of each slice. */
const drawn = ({ data, shape: [c, nx, ny, nz] }: { data: ArrayLike<number>; shape: readonly number[] }): string[] =>
  Array.from({ length: c * nz }, (_, k) =>
    Array.from({ length: ny }, (_, y) =>
      Array.from({ length: nx }, (_, x) => data[((Math.floor(k / nz) * nx + x) * ny + y) * nz + (k % nz)]).join(""),
    ).join(" "),
  );
const slices = ["000000 000000 000000 000000 000000", "011110 010010 010010 011110 000000", "110000 110000 110000 000000 000000"];
const withTumor = [slices[0], "011110 012210 012210 011110 000000", slices[2]];

describe("readDicomStructures", () => {
  test.each(["explicit", "implicit", "delimited", "bigEndian", "deflated"] as const)("%s: contours are filled", async (name) => {
    const file = imageFile(structureSet([liver, tumor, point], encodings[name]), "rt.dcm");
    const { labels, classes } = await readDicomStructures(file, { like });
    expect(drawn(labels)).toEqual(withTumor);
    expect(classes.map((c) => [c.name, ...c.values])).toEqual([
      ["background", 0],
      ["Liver", 1],
      ["GTV", 2],
    ]);
    expect([labels.affine, labels.meta.kind, labels.meta.notes]).toEqual([like.affine, "label", undefined]);
  });

  test("listed with types, colors and what encloses nothing", async () => {
    const found = await listDicomStructures(imageFile(structureSet([liver, point]), "rt.dcm"));
    expect(found.map(({ contours, ...rest }) => ({ ...rest, contours: contours.length }))).toEqual([
      { number: 40, name: "Liver", type: "ORGAN", color: [255, 0, 10], contours: 3, open: 0 },
      { number: 9, name: "structure 9", type: "", color: [255, 0, 10], contours: 0, open: 1 },
    ]);
    expect(Array.from(found[0].contours[0].subarray(0, 6))).toEqual([-11, -19.5, 0, -19, -19.5, 0]);
  });

  test("chosen by name, in the order that is given", async () => {
    const { labels, classes } = await read([liver, tumor], { structures: ["GTV", "Liver"] });
    expect(drawn(labels)[1]).toBe("022220 021120 021120 022220 000000");
    expect(classes.slice(1).map((c) => c.name)).toEqual(["GTV", "Liver"]);
    await expect(read([liver], { structures: ["liver"] })).rejects.toThrow(/no structure "liver"; there are Liver/);
    await expect(read([liver, point], { structures: ["structure 9"] })).rejects.toThrow(/no closed contour/);
    await expect(read([point])).rejects.toThrow(DataError);
    await expect(read([liver, { ...tumor, name: "Liver" }], { structures: ["Liver"] })).rejects.toThrow(/2 structures/);
  });

  test("by the first of its names that has contours, and left out if it is missing and may be", async () => {
    const bare: Roi = { ...point, name: "liver" };
    const names = [["liver", "LIVER", "Liver"], "Kidney", ["GTV", "Tumor"]];
    const { labels, classes } = await read([bare, liver, tumor], { structures: names, missing: "empty" });
    expect(drawn(labels)).toEqual(withTumor.map((rows) => rows.replaceAll("2", "3")));
    expect(classes.map((c) => [c.name, ...c.values])).toEqual([
      ["background", 0],
      ["Liver", 1],
      ["Kidney", 2],
      ["GTV", 3],
    ]);
    expect(labels.meta.notes).toEqual(['there is no structure "Kidney": no voxel has its value']);
    await expect(read([bare, liver], { structures: names })).rejects.toThrow(/no structure "Kidney"; there are liver, Liver/);
    await expect(read([bare], { structures: [["a", "b"]] })).rejects.toThrow(/no structure "a" or "b"; there are liver/);
    await expect(read([bare], { structures: [names[0]] })).rejects.toThrow(/liver has no closed contour/);
    await expect(read([liver], { structures: [[]] })).rejects.toThrow(/structures\[0\] must be a name or a list/);
    await expect(read([liver], { missing: "no" as never })).rejects.toThrow(ConfigError);
  });

  test("drawn in another frame of reference than the image's is told", async () => {
    const [own, other] = ["1.2.1", "1.2.2"].map((frame) => [{ ...liver, frame }]);
    const within = { like: { ...like, meta: { frameOfReference: "1.2.1" } } };
    expect((await read(own, within)).labels.meta.notes).toBeUndefined();
    expect((await read([liver], within)).labels.meta.notes).toBeUndefined();
    expect((await read(other)).labels.meta.notes).toBeUndefined();
    expect((await read(other, within)).labels.meta.notes).toEqual([
      "Liver was drawn in another frame of reference than the image's; is it the image that it was drawn on?",
    ]);
    const image = await readDicom(imageFile(dicomSlice({ more: { 0x00200052: ["UI", "1.2.1"] } })));
    expect(image.meta.frameOfReference).toBe("1.2.1");
  });

  test("overlap: an error, masks, or the later one in the list", async () => {
    const body: Roi = { number: 3, name: "BODY", lines: [box(9, 19, 21, 25, 0)] };
    await expect(read([body, liver])).rejects.toThrow(/1 \(BODY\) and 2 \(Liver\) overlap/);
    const { labels } = await read([body, liver], { overlap: "onehot" });
    expect([labels.shape, drawn(labels)[1], drawn(labels)[4]]).toEqual([
      [2, 6, 5, 3],
      "111111 111111 111111 111111 111111",
      slices[1],
    ]);
    const last = await read([body, liver], { overlap: "last" });
    const first = await read([body, liver], { overlap: "last", structures: ["Liver", "BODY"] });
    expect([drawn(last.labels)[1][1], drawn(first.labels)[1][1]]).toEqual(["2", "2"]);
    expect(drawn(first.labels)[1]).toBe("222222 222222 222222 222222 222222");
  });

  test("on a grid of other axes and units, and a part of one", async () => {
    // Axes z, x, y of the same voxels, in micrometers, seen from the other side along x.
    const turned: ImageGrid = {
      shape: [1, 3, 6, 5],
      units: "um",
      affine: [
        [0, 2000, 0, -20_000],
        [0, 0, -1000, -20_000],
        [4000, 0, 0, -4000],
        [0, 0, 0, 1],
      ],
    };
    const { labels } = await read([liver], { like: turned });
    expect(labels.units).toBe("um");
    const at = (x: number, y: number, z: number) => labels.data[(z * 6 + (5 - x)) * 5 + y];
    for (let z = 0; z < 3; z++)
      expect(Array.from({ length: 5 }, (_, y) => Array.from({ length: 6 }, (_, x) => at(x, y, z)).join("")).join(" ")).toBe(
        slices[z],
      );
    const part = await read([liver], { like: { ...like, shape: [1, 6, 5, 2] } });
    expect(part.labels.meta.notes).toEqual(["1 contour of Liver of 3 lie beyond the image"]);
    expect(drawn(part.labels)).toEqual(slices.slice(0, 2));
  });

  test("contours between slices and across them are refused", async () => {
    const between: Roi = { ...tumor, lines: [...tumor.lines, box(13, 20.5, 17, 22.5, 2)] };
    await expect(read([between])).rejects.toThrow(/GTV lies at slice 1.50, between two/);
    const across: Roi = { ...tumor, lines: [tumor.lines[0], box(13, 20.5, 17, 22.5, 0)] };
    const turned = [
      [-2, 0, 0, -10],
      [0, -0.8, 2.4, -20],
      [0, 0.6, 3.2, -4],
      [0, 0, 0, 1],
    ];
    await expect(read([across], { like: { ...like, affine: turned } })).rejects.toThrow(/goes through .* slices/);
  });

  test("other files and damaged ones", async () => {
    const of = (bytes: Uint8Array<ArrayBuffer>) => readDicomStructures(imageFile(bytes, "rt.dcm"), { like });
    await expect(of(dicomSlice())).rejects.toThrow(/is no RT structure set; read images with readImage/);
    await expect(of(new TextEncoder().encode("no DICOM at all"))).rejects.toThrow(FormatError);
    await expect(of(structureSet([liver, { ...tumor, number: 40 }]))).rejects.toThrow(/two structures have the ROINumber 40/);
    await expect(of(structureSet([{ ...tumor, lines: [{ at: [[NaN, 1]], z: 0 }] }]))).rejects.toThrow(/not all are numbers/);
    const whole = structureSet([liver, tumor]);
    for (let end = 200; end < whole.length - 1; end += 37) await expect(of(whole.slice(0, end))).rejects.toThrow(/rt.dcm/);
    await expect(read([liver], { overlap: "sum" as never })).rejects.toThrow(ConfigError);
    await expect(readDicom(imageFile(whole))).rejects.toThrow(/RTSTRUCT.*readDicomStructures/);
  });
});
