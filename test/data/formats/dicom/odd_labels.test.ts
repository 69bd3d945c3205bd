/** @file Labels, names and series that hardly fit a DICOM object: written as far as they do, refused where something would be wrong in silence. */

import { gzipSync } from "node:zlib";
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
import { withDataSet } from "../../../../src/data/formats/dicom/header.ts";
import { painterOf } from "../../../../src/data/formats/dicom/paint.ts";
import { writtenTags } from "../../../../src/data/formats/dicom/written_tags.ts";
import { ConfigError, DataError, FormatError } from "../../../../src/host/errors.ts";
import { dicomFrames, dicomSlice, encodings, imageFile, type SliceOptions } from "../../../lib/dicom_file.ts";

const kinds = [
  ["segmentation", writeDicomSegmentation, readDicomSegmentation],
  ["structure set", writeDicomStructures, readDicomStructures],
] as const;
const series = (count: number, options: (k: number) => SliceOptions = () => ({})) =>
  Array.from({ length: count }, (_, k) =>
    imageFile(dicomSlice({ size: [5, 4], position: [0, 0, 3 * k], instance: k + 1, ...options(k) }), `${k}.dcm`),
  );
const like = series(3);
const volume = await readSeries(like);
const named = (...names: string[]): LabelClass[] => [
  { name: "background", values: [0] },
  ...names.map((name, i) => ({ name, values: [i + 1] })),
];
const data = Uint8Array.from({ length: 60 }, (_, i) => Number(i % 7 < 3));
const labels = makeVolume({ data, shape: volume.shape }, volume.affine);
const again = (bytes: Uint8Array) => imageFile(bytes as Uint8Array<ArrayBuffer>, "written.dcm");
const textOf = (bytes: Uint8Array, name: keyof typeof writtenTags) =>
  withDataSet(
    again(bytes).blob,
    (text) => new FormatError(text),
    (set) => [set.find(writtenTags[name]) !== undefined, new TextDecoder().decode(set.bytes(writtenTags[name]))],
    new Map(Object.values(writtenTags).map(({ tag, vr }) => [tag, vr])),
  );

describe.each(kinds)("a %s", (_, write, read) => {
  const writing = (options: Partial<WriteDicomLabelsOptions>, of: Volume = labels) =>
    write(of, { like, classes: named("liver"), ...options });

  test("has texts that DICOM has room for", async () => {
    const nameOf = async (name: string) =>
      (await read(again(await writing({ classes: named(name) })), { like: volume })).classes[1].name;
    expect(await nameOf("lobe\\upper")).toBe("lobe/upper");
    expect(await nameOf("肝".repeat(70_000))).toBe("肝".repeat(64));
    expect(await nameOf(" a\n\0b ")).toBe("a b");
    expect(await nameOf("")).toBe("class 1");
    expect(await textOf(await writing({ description: "" }), "SeriesDescription")).toEqual([true, "Segmentation"]);
    expect((await textOf(await writing({ description: "x".repeat(99) }), "SeriesDescription"))[1]).toHaveLength(64);
  });

  test("says nothing of a character set or a number that the image has not, and fills up texts with spaces", async () => {
    const more: SliceOptions["more"] = {
      0x00100010: ["PN", Uint8Array.of(0x41, 0x5e, 0x42, 0)],
      0x00200011: ["IS", "2147483000"],
    };
    const bytes = await writing({ like: series(3, () => ({ more })) });
    expect(await textOf(bytes, "SpecificCharacterSet")).toEqual([false, ""]);
    expect(await textOf(bytes, "PatientName")).toEqual([true, "A^B "]);
    expect(await textOf(bytes, "SeriesNumber")).toEqual([true, "1000"]);
  });

  test("is made of masks alone, not of shares or NaN", async () => {
    const masks = (values: readonly number[]) =>
      makeVolume({ data: Float32Array.from({ length: 120 }, (_u, i) => values[i % 3]), shape: [2, 5, 4, 3] }, volume.affine);
    const classes = named("liver", "kidney");
    await expect(writing({ classes }, masks([0, 0.25, 1]))).rejects.toThrow(/mask 0 has the value 0.25; expected 0 and 1/);
    await expect(writing({ classes }, masks([0, NaN, 1]))).rejects.toThrow(DataError);
    await writing({ classes }, masks([0, 1, 0]));
  });

  test("is refused for frames that lie at one place, as those of a film do", async () => {
    const film = dicomFrames(
      [5, 4, 3],
      [
        [0x00080016, ["UI", "1.2.840.10008.5.1.4.1.1.7.2"]],
        [0x00200032, ["DS", "0\\0\\0"]],
      ],
    );
    const files = [imageFile(film, "film.dcm")];
    const of = makeVolume({ data, shape: [1, 5, 4, 3] }, (await readSeries(files)).affine);
    await expect(writing({ like: files }, of)).rejects.toThrow(/several of its 3 frames lie at one place/);
  });

  test("of small voxels is the same voxels again", async () => {
    const small = series(3, (k) => ({ position: [0, 0, 0.01 * k], more: { 0x00280030: ["DS", "0.0001\\0.0001"] } }));
    const image = await readSeries(small);
    const bytes = await writing({ like: small }, makeVolume({ data, shape: image.shape }, image.affine));
    expect((await read(again(bytes), { like: image })).labels.data).toEqual(data);
  });

  test("of a packed file, on the grid of an image in other units, and of structures that are named once", async () => {
    const file = imageFile(gzipSync(await writing({})) as Uint8Array<ArrayBuffer>, "written.dcm.gz");
    const inMicrometers = {
      shape: volume.shape,
      affine: volume.affine.map((row, r) => (r < 3 ? row.map((v) => 1000 * v) : row)),
      units: "um",
    } as const;
    const found = await read(file, { like: inMicrometers });
    expect([found.labels.data, found.labels.units]).toEqual([data, "um"]);
    const taking = (structures: readonly string[]) => read(file, { like: volume, structures });
    await expect(taking([])).rejects.toThrow(ConfigError);
    await expect(taking(["liver", "liver"])).rejects.toThrow(/"liver" twice/);
  });
});

test("a text without a limit in its file is an error of ours where the new file has one", async () => {
  const more: SliceOptions["more"] = { 0x00100010: ["PN", "x".repeat(70_000)] };
  const implicit = series(3, () => ({ more, encoding: encodings.implicit }));
  await expect(writeDicomSegmentation(labels, { like: implicit, classes: named("liver") })).rejects.toThrow(
    new DataError("a DICOM file has no room for a value of 70000 bytes in (0010,0010), of 65534 at most"),
  );
});

test("no more segments and values than 16 bits count", async () => {
  const many = named(...Array.from({ length: 65_536 }, (_, i) => `${i}`));
  await expect(writeDicomSegmentation(labels, { like, classes: many })).rejects.toThrow(/65536 classes; .* 65535 at most/);
  const table = many.map(({ name }, number) => ({ number, label: name }));
  expect(() => painterOf("error", table, [1, 1, 1], "f")).toThrow(DataError);
});

test("slices beside their normal lie where they lay, read alone too", async () => {
  const tilted = series(4, (k) => ({ position: [0, 1.5 * k, 3 * k] }));
  const image = await readSeries(tilted);
  const full = makeVolume({ data: new Uint8Array(80).fill(1), shape: image.shape }, image.affine);
  const { labels: found } = await readDicomSegmentation(
    again(await writeDicomSegmentation(full, { like: tilted, classes: named("a") })),
  );
  expect([found.shape, found.affine]).toEqual([image.shape, image.affine]);
});

test("one that lies beside the others is told of", async () => {
  const apart = series(4, (k) => ({ position: [k === 1 ? 2 : 0, 0, 3 * k] }));
  const image = await readSeries(apart, { uneven: "accept" });
  const full = makeVolume({ data: new Uint8Array(80).fill(1), shape: image.shape }, image.affine);
  const options = { like: apart, classes: named("a"), series: { uneven: "accept" } } as const;
  await expect(readDicomSegmentation(again(await writeDicomSegmentation(full, options)))).rejects.toThrow(
    /frame 1 lies beside the line/,
  );
});

test("contours beside the image are told of, as those above it are", async () => {
  const bytes = await writeDicomStructures(makeVolume({ data: data.map(() => 1), shape: volume.shape }, volume.affine), {
    like,
    classes: named("body"),
  });
  const read = async (along: number) => {
    const affine = volume.affine.map((row, r) => row.map((v, c) => (c === 3 && r < 3 ? v + along * volume.affine[r][0] : v)));
    return (await readDicomStructures(again(bytes), { like: { shape: volume.shape, affine } })).labels.meta.notes;
  };
  expect(await read(0)).toBeUndefined();
  expect(await read(3)).toBeUndefined();
  expect(await read(6)).toEqual(["3 contours of body of 3 lie beyond the image"]);
});
