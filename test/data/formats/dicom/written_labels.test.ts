/** @file Labels written as DICOM segmentations and RT structure sets, read back, and what stands in them. */

import { describe, expect, test } from "vitest";
import {
  type LabelClass,
  makeVolume,
  readDicomSegmentation,
  readDicomStructures,
  readSeries,
  type Volume,
  writeDicomSegmentation,
  type WriteDicomLabelsOptions,
  writeDicomStructures,
} from "../../../../src/data/index.ts";
import { decimalText, newUid } from "../../../../src/data/formats/dicom/encode.ts";
import { withDataSet } from "../../../../src/data/formats/dicom/header.ts";
import { writtenTags } from "../../../../src/data/formats/dicom/written_tags.ts";
import { FormatError } from "../../../../src/host/errors.ts";
import { dicomFrames, dicomSlice, encodings, frameGroups, imageFile, type SliceOptions } from "../../../lib/dicom_file.ts";

const kinds = [
  ["segmentation", writeDicomSegmentation, readDicomSegmentation],
  ["structure set", writeDicomStructures, readDicomStructures],
] as const;
const size = [5, 7] as const;
const orientation = [0.6, 0.8, 0, 0, 0, -1];
// Slices 2.5 mm apart along row × column, in no order, of a patient with letters of Latin-1.
const study: SliceOptions["more"] = {
  0x00080005: ["CS", "ISO_IR 100"],
  0x00080020: ["DA", "20250131"],
  0x00080050: ["SH", "A-7"],
  0x00100010: ["PN", Uint8Array.from([0x4d, 0xfc, 0x6c, 0x6c, 0x65, 0x72, 0x5e, 0x41])], // Müller^A
  0x0020000d: ["UI", "1.2.3.4"],
  0x00200011: ["IS", "4"],
  0x00200052: ["UI", "1.2.3.5"],
};
const slice = (k: number, more: SliceOptions["more"] = {}): Uint8Array<ArrayBuffer> =>
  dicomSlice({ size, orientation, position: [10 - 2 * k, 20 + 1.5 * k, 30], instance: k + 1, more: { ...study, ...more } });
const like = [2, 0, 3, 1].map((k) => imageFile(slice(k), `${k}.dcm`));

const classes: LabelClass[] = [
  { name: "background", values: [0] },
  { name: "liver", values: [1] },
  { name: "kidney", values: [4] },
];
let seed = 1;
const random = (values: readonly number[]) => values[(seed = (seed * 16807) % 2147483647) % values.length];
const volume = await readSeries(like);
const labels = makeVolume(
  { data: Uint8Array.from({ length: 5 * 7 * 4 }, () => random([0, 0, 1, 4])), shape: volume.shape },
  volume.affine,
);
const values = Uint8Array.from(labels.data, (v) => (v === 4 ? 2 : v));
const again = (bytes: Uint8Array) => imageFile(bytes as Uint8Array<ArrayBuffer>, "written.dcm");

const textsOf = (bytes: Uint8Array, ...names: (keyof typeof writtenTags)[]) =>
  withDataSet(
    again(bytes).blob,
    (text) => new FormatError(text),
    (data) => names.map((name) => data.text(writtenTags[name])),
    new Map(Object.values(writtenTags).map(({ tag, vr }) => [tag, vr])),
  );

describe.each(kinds)("a %s", (_, write, read) => {
  const back = async (of: Volume, options: Partial<WriteDicomLabelsOptions> = {}, overlap: "error" | "onehot" = "error") =>
    read(again(await write(of, { like, classes, ...options })), { like: volume, overlap });

  test("is the labels again, with their names", async () => {
    const { labels: found, classes: names } = await back(labels);
    expect([found.shape, found.affine]).toEqual([labels.shape, volume.affine]);
    expect(found.data).toEqual(values);
    expect(names.map((c) => c.name)).toEqual(["background", "liver", "kidney"]);
  });

  test("of labels whose axes are in another order and direction", async () => {
    // Axis 0 is the series' slices from the last on, axis 1 its columns, axis 2 its rows.
    const data = Uint8Array.from(
      { length: 140 },
      (_u, i) => labels.data[((Math.floor(i / 7) % 5) * 7 + (i % 7)) * 4 + 3 - Math.floor(i / 35)],
    );
    const affine = volume.affine.map(([x, y, z, t], r) => (r === 3 ? [0, 0, 0, 1] : [-z, x, y, t + 3 * z]));
    expect((await back(makeVolume({ data, shape: [1, 4, 5, 7] }, affine))).labels.data).toEqual(values);
  });

  test("of regions, and of a mask for each class", async () => {
    const regions: LabelClass[] = [...classes.slice(0, 2), { name: "whole", values: [1, 4] }];
    const masks = [values.map((v) => Number(v === 1)), values.map((v) => Number(v > 0))].flatMap((m) => [...m]);
    expect([...(await back(labels, { classes: regions }, "onehot")).labels.data]).toEqual(masks);
    const given = makeVolume({ data: Uint8Array.from(masks), shape: [2, 5, 7, 4] }, volume.affine);
    expect([...(await back(given, { classes: regions }, "onehot")).labels.data]).toEqual(masks);
  });

  test("belongs to the patient and the study, and is a series of its own", async () => {
    const one = await write(labels, { like, classes, description: "by a model" });
    const other = await write(labels, { like, classes });
    expect(await textsOf(one, "PatientName", "PatientID", "StudyDate", "AccessionNumber", "SpecificCharacterSet")).toEqual([
      "Müller^A",
      "patient 1",
      "20250131",
      "A-7",
      "ISO_IR 100",
    ]);
    expect(await textsOf(one, "StudyInstanceUID", "SeriesNumber", "SeriesDescription")).toEqual([
      "1.2.3.4",
      "1004",
      "by a model",
    ]);
    const uids = [
      await textsOf(one, "SeriesInstanceUID", "SOPInstanceUID"),
      await textsOf(other, "SeriesInstanceUID", "SOPInstanceUID"),
    ];
    expect(new Set(uids.flat()).size).toBe(4);
  });

  test("has names of any letters, where the patient's can be kept beside them", async () => {
    const named = [classes[0], { name: "肝脏", values: [1, 4] }];
    const bytes = await write(labels, { like, classes: named });
    expect(await textsOf(bytes, "PatientName", "SpecificCharacterSet")).toEqual(["Müller^A", "ISO_IR 192"]);
    expect((await read(again(bytes), { like: volume })).classes[1].name).toBe("肝脏");
    const japanese = [0, 1].map((k) => imageFile(slice(k, { 0x00080005: ["CS", "ISO 2022 IR 6\\ISO 2022 IR 87"] })));
    const two = makeVolume({ data: new Uint8Array(70), shape: [1, 5, 7, 2] }, (await readSeries(japanese)).affine);
    await expect(write(two, { like: japanese, classes: named })).rejects.toThrow(/must be of ASCII letters/);
    expect((await textsOf(await write(two, { like: japanese, classes }), "SpecificCharacterSet"))[0]).toMatch(/IR 87/);
  });

  test("is refused for other voxels, values of no class, images without a place or a name", async () => {
    const refused = (of: Volume, options: Partial<WriteDicomLabelsOptions> = {}) => expect(back(of, options)).rejects;
    const moved = volume.affine.map((row, r) => row.map((v, c) => (r === 0 && c === 3 ? v + 0.5 : v)));
    await refused(makeVolume(labels, moved)).toThrow(/do not lie on those of the series.*0\.5 mm apart.*resample/);
    await refused(makeVolume({ data: new Uint8Array(105), shape: [1, 5, 7, 3] }, volume.affine)).toThrow(/5 × 7 × 3/);
    await refused(labels, { classes: classes.slice(0, 2) }).toThrow(/the value 4, which is no class's/);
    await refused(labels, { classes: classes.slice(0, 1) }).toThrow(/no class beside the background/);
    const masks = makeVolume({ data: new Uint8Array(420), shape: [3, 5, 7, 4] }, volume.affine);
    await refused(masks).toThrow(/3 masks for 2 classes/);
    const placeless = [0, 1].map((k) => imageFile(slice(k, { 0x00200032: undefined })));
    await refused(labels, { like: placeless }).toThrow(/do not say where they lie/);
    const nameless = [0, 1, 2, 3].map((k) => imageFile(slice(k, { 0x00080018: undefined }), `${k}`));
    await refused(labels, { like: nameless }).toThrow(/has no SOPInstanceUID/);
    const several = [...like, imageFile(dicomSlice({ series: "1.2.9", size }), "other.dcm")];
    await refused(labels, { like: several }).toThrow(/choose one by its uid/);
    expect((await back(labels, { like: several, series: { uid: "1.2.3" } })).labels.data).toEqual(values);
    await refused(labels, { like: [imageFile(new Uint8Array(300))] }).toThrow(FormatError);
  });
});

test("empty labels make a segmentation with one empty frame, and a structure set without contours", async () => {
  const empty = makeVolume({ data: new Uint8Array(140), shape: labels.shape }, volume.affine);
  const { labels: found } = await readDicomSegmentation(again(await writeDicomSegmentation(empty, { like, classes })), {
    like: volume,
  });
  expect(found.data.every((v) => v === 0)).toBe(true);
  await expect(
    readDicomStructures(again(await writeDicomStructures(empty, { like, classes })), { like: volume }),
  ).rejects.toThrow(/none of its structures has a closed contour: liver, kidney/);
});

test("of an enhanced image of many frames, each frame is referred to", async () => {
  const frames = [0, 3, 6].map((z) => frameGroups(z, 0));
  const enhanced = dicomFrames(
    [5, 3, 3],
    [
      [0x00080016, ["UI", "1.2.840.10008.5.1.4.1.1.2.1"]],
      [0x52009230, ["SQ", frames]],
    ],
    encodings.implicit,
  );
  const files = [imageFile(enhanced, "enhanced.dcm")];
  const image = await readSeries(files);
  const map = makeVolume(
    { data: Uint8Array.from({ length: 45 }, (_, i) => Number(i % 3 === 1)), shape: [1, 5, 3, 3] },
    image.affine,
  );
  const bytes = await writeDicomSegmentation(map, { like: files, classes: classes.slice(0, 2) });
  expect((await readDicomSegmentation(again(bytes), { like: image })).labels.data).toEqual(map.data);
  expect(new TextDecoder("latin1").decode(bytes)).toContain("1.2.9.9");
  const frame = await withDataSet(
    again(bytes).blob,
    (text) => new FormatError(text),
    (data) =>
      [...data.items(writtenTags.PerFrameFunctionalGroupsSequence)].map((f) =>
        f
          .first(writtenTags.DerivationImageSequence)
          ?.first(writtenTags.SourceImageSequence)
          ?.text(writtenTags.ReferencedFrameNumber),
      ),
    new Map(Object.values(writtenTags).map(({ tag, vr }) => [tag, vr])),
  );
  expect(frame).toEqual(["2"]);
});

test("decimal texts have at most 16 letters, identifiers 64", () => {
  for (const v of [0, -0, 1 / 3, -2 / 3e7, 1e-21, 123456789.12345679, -1.2345678901234567e-101, 5e300]) {
    const text = decimalText(v);
    expect(text.length).toBeLessThanOrEqual(16);
    expect(Math.abs(Number(text) - v)).toBeLessThanOrEqual(1e-8 * Math.abs(v));
  }
  for (let i = 0; i < 50; i++) expect(newUid()).toMatch(/^2\.25\.[1-9]\d{0,38}$/);
});

test("classes have the colors of overlays: CIELab under D50 in segmentations, RGB in structure sets", async () => {
  const colorIn = (bytes: Uint8Array, sequence: keyof typeof writtenTags, color: keyof typeof writtenTags) =>
    withDataSet(
      again(bytes).blob,
      (text) => new FormatError(text),
      (data) => {
        const item = data.first(writtenTags[sequence])!;
        return [item.numbers(writtenTags[color]), item.text(writtenTags[color])] as const;
      },
      new Map(Object.values(writtenTags).map(({ tag, vr }) => [tag, vr])),
    );
  const set = await writeDicomStructures(labels, { like, classes });
  expect((await colorIn(set, "ROIContourSequence", "ROIDisplayColor"))[1]).toBe("255\\140\\0");
  const segments = await writeDicomSegmentation(labels, { like, classes });
  const [lab] = await colorIn(segments, "SegmentSequence", "RecommendedDisplayCIELabValue");
  // By Bradford's adaption of sRGB to D50: L* 70.21, a* 39.79, b* 76.09.
  expect(lab[0] / 655.35).toBeCloseTo(70.21, 1);
  expect((lab[1] / 65535) * 255 - 128).toBeCloseTo(39.79, 1);
  expect((lab[2] / 65535) * 255 - 128).toBeCloseTo(76.09, 1);
});
