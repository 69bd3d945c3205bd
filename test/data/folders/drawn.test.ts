/** @file Datasets whose labels were drawn in DICOM: patients' folders as a clinic hands them over. */

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { layouts as pageLayouts } from "../../../app/worker/layouts.ts";
import { loadCase, loadDataset, openDataset, readCaseLabel } from "../../../src/data/index.node.ts";
import {
  type Case,
  type LabelClass,
  makeVolume,
  readSeries,
  type Volume,
  writeDicomSegmentation,
  writeDicomStructures,
  writeImage,
} from "../../../src/data/index.ts";
import { referencedSeries } from "../../../src/data/formats/dicom/referenced_series.ts";
import { ConfigError, DataError, FormatError } from "../../../src/host/errors.ts";
import { callCli } from "../../lib/call_cli.ts";
import { dicomSlice, imageFile } from "../../lib/dicom_file.ts";

const size = [6, 5] as const;
let dir: string;
const at = (name: string) => join(dir, name);

beforeEach(() => void (dir = mkdtempSync(join(tmpdir(), "voxgrad-drawn-"))));
afterEach(() => rmSync(dir, { recursive: true }));

/** Everything that lies in the dataset, by path. */
const files = new Map<string, Uint8Array<ArrayBuffer>>();
beforeEach(() => files.clear());

function put(path: string, bytes: Uint8Array): void {
  files.set(path, bytes as Uint8Array<ArrayBuffer>);
  mkdirSync(join(dir, path, ".."), { recursive: true });
  writeFileSync(at(path), bytes);
}

/** The slices of a series in a folder; the first voxel says which. */
function series(folder: string, uid: string, description: string, first: number) {
  return [1, 2, 3].map((instance) => {
    const pixels = Array.from({ length: size[0] * size[1] }, (_, v) => v + first);
    const more = { 0x0008103e: ["LO", description], 0x0020000d: ["UI", "1.2.8"], 0x00200052: ["UI", "1.2.8.1"] } as const;
    const bytes = dicomSlice({ series: uid, instance, size, pixels, more });
    put(`${folder}/${description}${instance}.dcm`, bytes);
    return imageFile(bytes, `${description}${instance}.dcm`);
  });
}

const named = (...names: string[]): LabelClass[] => ["background", ...names].map((name, value) => ({ name, values: [value] }));

/** Labels of 1 and 2 in two corners of the slices. */
async function corners(like: ReturnType<typeof series>): Promise<Volume> {
  const { shape, affine } = await readSeries(like);
  const data = new Uint8Array(shape.reduce((a, b) => a * b));
  for (const [x, y, value] of [
    [1, 1, 1],
    [2, 1, 1],
    [4, 3, 2],
  ])
    for (let z = 0; z < 3; z++) data[(x * shape[2] + y) * 3 + z] = value;
  return makeVolume({ data, shape }, affine);
}

async function patient(
  id: string,
  names: readonly [string, string],
  write = writeDicomStructures,
  place = "RS.dcm",
): Promise<Volume> {
  const like = series(`${id}/ct`, `1.2.${id.length}.${id.charCodeAt(1)}`, "plan", 100);
  const labels = await corners(like);
  put(`${id}/${place}`, await write(labels, { like, classes: named(...names) }));
  return labels;
}

const json = (more: object) =>
  put(
    "dataset.json",
    new TextEncoder().encode(
      JSON.stringify({ channel_names: { 0: "CT" }, labels: { background: 0, liver: 7, kidney: 300 }, ...more }),
    ),
  );

const valuesOf = (labels: Volume): number[] => Array.from(labels.data, (v) => [0, 7, 300][v]);

test("each folder is a patient; structures have the values of their classes, whatever they are called", async () => {
  const labels = await patient("p1", ["Leber", "kidney"]);
  await patient("p2", ["liver", "kidney"], writeDicomSegmentation, "labels/s.dcm");
  json({ structures: { liver: ["Liver", "Leber", "liver"] } });
  const { training, test: none, notes, labels: classes } = await loadDataset(dir);
  expect(training.map(({ id }) => id)).toEqual(["p1", "p2"]);
  expect([none, notes]).toEqual([[], []]);
  for (const item of training) {
    const { image, label } = await loadCase(item, classes);
    expect([image.shape, image.data[0], label!.meta.kind]).toEqual([[1, 6, 5, 3], 100, "label"]);
    expect(Array.from(label!.data)).toEqual(valuesOf(labels));
    expect(Array.from((await readCaseLabel(item, classes)).data)).toEqual(valuesOf(labels));
  }
  // In a page from picked files.
  const picked = new Map([...files].map(([path, bytes]) => [path, new File([bytes], path)] as const));
  const { index, read } = await pageLayouts.find((layout) => layout.matches(picked))!.open(picked, {});
  expect(index.training.map(({ id }) => id)).toEqual(["p1", "p2"]);
  for (const item of index.training) expect(Array.from((await read(item)).label!.data)).toEqual(valuesOf(labels));
});

test("of several series the image is the one that the labels are of, unless another is chosen", async () => {
  series("p1", "1.2.1", "late", 300);
  const early = series("p1", "1.2.2", "early", 200);
  series("p1", "1.2.3", "native", 400);
  for (const write of [writeDicomStructures, writeDicomSegmentation]) {
    put("p1/labels.dcm", await write(await corners(early), { like: early, classes: named("liver", "kidney") }));
    expect(await referencedSeries(imageFile(files.get("p1/labels.dcm")!, "labels.dcm"))).toEqual(["1.2.2"]);
    const first = async (more: object) => {
      json({ structures: {}, ...more });
      const { training, labels } = await loadDataset(dir);
      return (await loadCase(training[0], labels)).image.data[0];
    };
    expect(await first({})).toBe(200);
    expect(await first({ series: "native" })).toBe(400);
    expect(await first({ training: [{ image: "p1", label: "p1/labels.dcm", series: "1.2.1" }] })).toBe(300);
    await expect(first({ series: "arterial" })).rejects.toThrow(/no series is the one that is asked for/);
  }
  // What the labels are of is not there.
  for (const i of [1, 2, 3]) rmSync(at(`p1/early${i}.dcm`));
  json({ structures: {} });
  const { training, labels } = await loadDataset(dir);
  await expect(loadCase(training[0], labels)).rejects.toThrow(/2 series are there/);
});

test("channels of one folder: a series each", async () => {
  series("p1", "1.2.1", "T1", 100);
  const t2 = series("p1", "1.2.2", "T2", 200);
  put("p1/RS.dcm", await writeDicomStructures(await corners(t2), { like: t2, classes: named("liver", "kidney") }));
  const channels = { channel_names: { 0: "T1", 1: "T2" } };
  const firsts = async (more: object) => {
    json({ ...channels, ...more });
    const { training, labels } = await loadDataset(dir);
    const { image } = await loadCase(training[0], labels);
    return [image.data[0], image.data[90]];
  };
  expect(await firsts({ structures: {}, series: ["T1", "T2"] })).toEqual([100, 200]);
  expect(await firsts({ structures: {}, training: [{ image: ["p1", "p1"], label: "p1", series: ["T2", "T1"] }] })).toEqual([
    200, 100,
  ]);
  expect(
    await firsts({ training: [{ image: "p1", label: "p1.nii.gz", series: ["T2", "T1"] }] }).catch((e: Error) => e.message),
  ).toMatch(/label names "p1.nii.gz", which does not exist/);
  json({ ...channels, structures: {}, series: ["T1"] });
  await expect(loadDataset(dir)).rejects.toThrow(/patients\[0\]\.series lists 1 series, but there are 2 channels/);
  json({ ...channels, structures: {}, series: { T1: 1 } });
  await expect(loadDataset(dir)).rejects.toThrow(/series is {"T1":1}; expected the description/);
});

test("what is not there and what overlaps, as dataset.json says", async () => {
  await patient("p1", ["liver", "spleen"]);
  const labelsOf = async (more: object) => {
    json({ structures: {}, ...more });
    const { training, labels } = await loadDataset(dir);
    return (await loadCase(training[0], labels)).label!;
  };
  await expect(labelsOf({})).rejects.toThrow(DataError);
  await expect(labelsOf({})).rejects.toThrow(/no structure "kidney"; there are liver, spleen/);
  const label = await labelsOf({ structures_missing: "empty" });
  expect([...new Set(label.data)].sort()).toEqual([0, 7]);
  expect(label.meta.notes?.join()).toMatch(/no structure "kidney"/);
  const like = series("p2/ct", "1.2.9", "plan", 100);
  const all = await corners(like);
  const masks = makeVolume(
    { data: new Uint8Array(2 * all.data.length).map((_, i) => Number(all.data[i % all.data.length] > 0)), shape: [2, 6, 5, 3] },
    all.affine,
  );
  put("p2/RS.dcm", await writeDicomStructures(masks, { like, classes: named("liver", "kidney") }));
  rmSync(at("p1"), { recursive: true });
  await expect(labelsOf({})).rejects.toThrow(/overlap/);
  expect([...new Set((await labelsOf({ structures_overlap: "last" })).data)].sort()).toEqual([0, 300]);
});

test("folders without labels, with several, and what dataset.json cannot mean", async () => {
  await patient("p1", ["liver", "kidney"]);
  series("p0", "1.2.5", "plan", 0);
  await expect(openDataset(dir)).rejects.toThrow(/"structures": { "liver".*in a dataset\.json beside them/);
  json({ structures: {} });
  const read = async (id: string) => {
    const { training, labels } = await loadDataset(dir);
    return loadCase(
      training.find((c: Case) => c.id === id)!,
      labels,
    );
  };
  await expect(read("p0")).rejects.toThrow(FormatError);
  await expect(read("p0")).rejects.toThrow(/p0 has no RT structure set or DICOM segmentation/);
  const call = await callCli(["info", dir]);
  expect(call.stdout).toMatch(/2 cases to train on/);
  put("p1/old.dcm", files.get("p1/RS.dcm")!);
  await expect(read("p1")).rejects.toThrow(ConfigError);
  await expect(read("p1")).rejects.toThrow(
    /2 structure sets and segmentations; name the one to take as "label".*RS\.dcm, .*old\.dcm/,
  );
  json({ structures: {}, training: [{ image: "p1/ct", label: "p1/old.dcm" }] });
  expect((await read("ct")).label!.shape).toEqual([1, 6, 5, 3]);
  json({ structures: {}, training: [{ image: "p1/ct", label: "p1/ct/plan1.dcm" }] });
  await expect(read("ct")).rejects.toThrow(/plan1\.dcm.*no segmentation/);
  for (const [more, text] of [
    [{ structures: { spleen: "Spleen" } }, /structures has "spleen", which is no class of labels; they are liver, kidney/],
    [{ structures: { liver: [] } }, /structures\["liver"\] is \[\]; expected a name/],
    [{ structures: { liver: "kidney" } }, /structures has the name "kidney" twice/],
    [{ structures: "all" }, /structures is missing or not an object/],
    [{ structures: {}, structures_missing: "skip" }, /structures_missing is "skip"; expected "error" or "empty"/],
    [{ structures: {}, structures_overlap: "onehot" }, /structures_overlap is "onehot"; expected "error" or "last"/],
    [
      { structures: {}, labels: { background: 0, both: [1, 2], one: 1 }, regions_class_order: [2, 1] },
      /"both"\] is a region of several values/,
    ],
  ] as const) {
    json(more);
    await expect(loadDataset(dir)).rejects.toThrow(text);
  }
  rmSync(at("p0"), { recursive: true });
  rmSync(at("p1"), { recursive: true });
  json({ structures: {} });
  await expect(loadDataset(dir)).rejects.toThrow(/there is no folder of a patient/);
});

test("the series of the labels is known by its whole UID, pictures beside it are none, and of its slices what is wrong is told", async () => {
  const like = series("p1/a", "1.2.3.1", "plan", 100);
  series("p1/b", "1.2.3.10", "late", 300);
  series("p1/c", "1.2.9", "other", 500);
  put("p1/RS.dcm", await writeDicomStructures(await corners(like), { like, classes: named("liver", "kidney") }));
  put("p1/logo.png", (await writeImage("logo.png", makeVolume({ data: new Uint8Array(4), shape: [1, 2, 2, 1] })))[0].bytes);
  json({ structures: {} });
  const read = async () => {
    const { training, labels } = await loadDataset(dir);
    return loadCase(training[0], labels);
  };
  expect((await read()).image.data[0]).toBe(100);
  const slice = files.get("p1/a/plan2.dcm")!;
  put("p1/a/plan2.dcm", slice.subarray(0, slice.length - 4));
  await expect(read()).rejects.toThrow(/plan2\.dcm: .*cut short or damaged/s);
  rmSync(at("p1/a"), { recursive: true });
  const gone = await read().catch((error: unknown) => error as Error);
  expect(gone).toBeInstanceOf(ConfigError);
  expect((gone as Error).message).toMatch(/RS\.dcm is of series 1\.2\.3\.1, which is not there; .*1\.2\.3\.10/s);
});

test("a structure set that broke off is not passed over for an older one", async () => {
  await patient("p1", ["liver", "kidney"]);
  const set = files.get("p1/RS.dcm")!;
  put("p1/RS.new.dcm", set.subarray(0, set.length - 100));
  json({ structures: {} });
  const { training, labels } = await loadDataset(dir);
  await expect(loadCase(training[0], labels)).rejects.toThrow(/has 2 structure sets .*RS\.dcm, .*RS\.new\.dcm/);
  rmSync(at("p1/RS.dcm"));
  await expect(loadCase(training[0], labels)).rejects.toThrow(/RS\.new\.dcm: .* are left/);
});
