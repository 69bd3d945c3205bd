/** @file Decathlon and nnU-Net folders: both layouts, and what can be wrong with them. */

import { existsSync } from "node:fs";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Folder } from "../../../src/data/folders/dataset_index.ts";
import { parseDataset } from "../../../src/data/folders/decathlon.ts";
import { selectFold } from "../../../src/data/folders/splits.ts";
import { loadCase, loadDataset, loadSplits } from "../../../src/data/folders/decathlon.node.ts";
import { writeNiftiFile } from "../../../src/data/formats/nifti/nifti.node.ts";
import { makeVolume } from "../../../src/data/volume.ts";
import { FormatError } from "../../../src/host/errors.ts";

const DATA = process.env.VOXGRAD_DATA ?? new URL("../../../../shared/data", import.meta.url).pathname;
let dir: string;
beforeAll(async () => void (dir = await mkdtemp(join(tmpdir(), "voxgrad-msd-"))));
afterAll(() => rm(dir, { recursive: true }));

const folderOf = (...files: string[]): Folder => ({
  has: (path) => files.includes(path),
  list: (name) => files.filter((f) => dirname(f) === name).map((f) => f.slice(name.length + 1)),
});
const msd = (over: object = {}) => ({
  name: "Toy",
  modality: { "0": "MRI" },
  labels: { "0": "background", "1": "front" },
  numTraining: 1,
  training: [{ image: "./imagesTr/a.nii.gz", label: "./labelsTr/a.nii.gz" }],
  test: ["./imagesTs/t.nii.gz"],
  ...over,
});
const msdFiles = folderOf("imagesTr/a.nii.gz", "labelsTr/a.nii.gz", "imagesTs/t.nii.gz");

describe("parseDataset", () => {
  test("Decathlon", () => {
    const index = parseDataset(msd(), msdFiles);
    expect(index).toMatchObject({
      name: "Toy",
      modality: ["MRI"],
      labels: [
        { name: "background", values: [0] },
        { name: "front", values: [1] },
      ],
      training: [{ id: "a", image: ["imagesTr/a.nii.gz"], label: "labelsTr/a.nii.gz" }],
      test: [{ id: "t", image: ["imagesTs/t.nii.gz"] }],
    });
  });

  test("without names of channels: as many as the files of a case, and a note", () => {
    const channels = (json: unknown, ...files: string[]) => parseDataset(json, folderOf(...files));
    const labels = { background: 0, liver: 1 };
    const one = channels({ labels }, "imagesTr/p.nii.gz", "labelsTr/p.nii.gz");
    expect(one).toMatchObject({ modality: ["channel 0"], training: [{ id: "p", image: ["imagesTr/p.nii.gz"] }] });
    expect(one.notes).toContainEqual(expect.stringMatching(/names no channels/));
    const two = channels({ labels }, "imagesTr/p_0000.nii.gz", "imagesTr/p_0001.nii.gz", "labelsTr/p.nii.gz");
    expect(two).toMatchObject({ modality: ["channel 0", "channel 1"], training: [{ id: "p" }] });
    const listed = channels(
      { labels, training: [{ image: "scans/p.nii.gz", label: "segs/p_seg.nii.gz" }] },
      "scans/p.nii.gz",
      "segs/p_seg.nii.gz",
    );
    expect(listed).toMatchObject({ modality: ["channel 0"], training: [{ id: "p", image: ["scans/p.nii.gz"] }] });
    const stems = ["imagesTr/p_0000.nii.gz", "imagesTr/p_0001.nii.gz"];
    const inTwo = channels(
      { labels, training: [{ image: "./imagesTr/p.nii.gz", label: "./labelsTr/p.nii.gz" }] },
      ...stems,
      "labelsTr/p.nii.gz",
    );
    expect(inTwo).toMatchObject({ modality: ["channel 0", "channel 1"], training: [{ id: "p", image: stems }] });
    const numbered = ["liver_0001.nii.gz", "liver_0012.nii.gz"].flatMap((name) => [`imagesTr/${name}`, `labelsTr/${name}`]);
    expect(channels({ labels }, ...numbered)).toMatchObject({
      modality: ["channel 0"],
      training: [{ id: "liver_0001" }, { id: "liver_0012" }],
    });
  });

  test("nnU-Net v2, two channels and regions", () => {
    const json = {
      channel_names: { "1": "T2", "0": "T1" },
      labels: { background: 0, whole: [1, 2], core: 2 },
      numTraining: 1,
      file_ending: ".nii",
    };
    const files = ["imagesTr/p_0000.nii", "imagesTr/p_0001.nii", "labelsTr/p.nii", "imagesTs/q_0000.nii", "imagesTs/q_0001.nii"];
    const index = parseDataset(json, folderOf(...files));
    expect(index.modality).toEqual(["T1", "T2"]);
    expect(index.labels[1]).toEqual({ name: "whole", values: [1, 2] });
    expect(index.training).toEqual([{ id: "p", image: files.slice(0, 2), label: "labelsTr/p.nii" }]);
    expect(index.test).toEqual([{ id: "q", image: files.slice(3) }]);
    expect(() => parseDataset(json, folderOf(...files.filter((f) => f !== "imagesTr/p_0001.nii")))).toThrow(
      /imagesTr\/p_0001\.nii does not exist/,
    );
    expect(() => parseDataset(json, folderOf(...files.filter((f) => f !== "labelsTr/p.nii")))).toThrow(/no label for case "p"/);
  });

  test("nnU-Net v1: listed without channel numbers", () => {
    const files = folderOf("imagesTr/a_0000.nii.gz", "imagesTr/a_0001.nii.gz", "labelsTr/a.nii.gz");
    const index = parseDataset(msd({ modality: { "0": "T1", "1": "T2" }, test: [] }), files);
    expect(index.training).toEqual([
      { id: "a", image: ["imagesTr/a_0000.nii.gz", "imagesTr/a_0001.nii.gz"], label: "labelsTr/a.nii.gz" },
    ]);
  });

  const bad: Record<string, [object | null, RegExp]> = {
    "not an object": [null, /the top level/],
    "labels missing": [msd({ labels: undefined }), /labels/],
    "label without a number": [msd({ labels: { background: "0", x: "one" } }), /labels\["x"\]/],
    "no background": [msd({ labels: { "1": "front" } }), /background/],
    "image missing": [
      msd({ training: [{ image: "imagesTr/b.nii.gz", label: "labelsTr/a.nii.gz" }] }),
      /training\[0\]\.image names "imagesTr\/b/,
    ],
    "label missing": [msd({ training: [{ image: "imagesTr/a.nii.gz" }] }), /training\[0\]\.label is missing/],
    "twice the same case": [msd({ numTraining: 2, training: [...msd().training, ...msd().training] }), /two cases named "a"/],
    "a number as path": [msd({ test: [3] }), /test\[0\]/],
  };
  test.each(Object.entries(bad))("%s", (_name, [json, message]) => {
    expect(() => parseDataset(json, msdFiles)).toThrow(FormatError);
    expect(() => parseDataset(json, msdFiles)).toThrow(message);
  });

  test.each(["../x.nii.gz", "imagesTr/../../x.nii.gz", "/etc/passwd", "C:\\x.nii.gz", "..\\x.nii.gz", "a\0b", "", "."])(
    "path %j stays inside",
    (image) => {
      const all: Folder = { has: () => true, list: () => [] };
      expect(() => parseDataset(msd({ test: [image] }), all)).toThrow(/test\[0\]\.image is/);
    },
  );
});

describe("dataset.json as other tools write it", () => {
  const channels = ["imagesTr/c_0000.nii.gz", "imagesTr/c_0001.nii.gz"];
  const two = { "0": "T1", "1": "T2" };
  const item = (image: unknown, label = "labelsTr/c.nii.gz") => msd({ test: [], training: [{ image, label }] });
  const first = (json: object, ...files: string[]) => {
    const { training, test, notes } = parseDataset(json, folderOf("labelsTr/c.nii.gz", ...files));
    return { id: training[0].id, image: training[0].image, count: training.length, test, notes };
  };

  test("lists that name the first channel: the number is none of the id", () => {
    expect(first(item("imagesTr/c_0000.nii.gz"), channels[0])).toMatchObject({ id: "c", image: channels.slice(0, 1), notes: [] });
    expect(first({ ...item("./imagesTr/c_0000.nii.gz"), modality: two }, ...channels)).toMatchObject({
      id: "c",
      image: channels,
    });
    // Of numbered patients it is one.
    const label = "labelsTr/p_0001.nii.gz";
    expect(first(item("imagesTr/p_0001.nii.gz", label), "imagesTr/p_0001.nii.gz", label).id).toBe("p_0001");
    const tests = ["imagesTs/q_0000.nii.gz", "imagesTs/r_0000.nii.gz"];
    const found = first({ ...item("imagesTr/c_0000.nii.gz"), test: tests }, channels[0], ...tests);
    expect(found.test.map((c) => c.id)).toEqual(["q", "r"]);
  });

  test("no ending of a format is part of an id, where images have several", () => {
    const training = ["a.nii.gz", "b.mha"].map((name) => ({ image: `imagesTr/${name}`, label: `labelsTr/${name}` }));
    const index = parseDataset(msd({ training, test: [] }), folderOf(...training.flatMap((c) => [c.image, c.label])));
    expect(index.training.map((c) => c.id)).toEqual(["a", "b"]);
  });

  test("images as lists, of MONAI and of BraTS", () => {
    expect(first({ ...item(channels), modality: two }, ...channels)).toMatchObject({ id: "c", image: channels });
    const brats = ["t1", "t2"].map((k) => `Train/B_01/B_01_${k}.nii.gz`);
    const json = { ...item(brats, "Train/B_01/B_01_seg.nii.gz"), modality: undefined };
    const index = parseDataset(json, folderOf(...brats, "Train/B_01/B_01_seg.nii.gz"));
    expect(index).toMatchObject({ modality: ["channel 0", "channel 1"], training: [{ id: "B_01", image: brats }] });
    expect(first(item(["imagesTr/c.nii.gz"]), "imagesTr/c.nii.gz")).toMatchObject({ id: "c" });
    expect(() => first({ ...item(channels) }, ...channels)).toThrow(
      /training\[0\].image lists 2 files, but there are 1 channels/,
    );
  });

  test("a folder per patient", () => {
    const files = ["a", "b"].flatMap((p) => [`${p}/t1.nii.gz`, `${p}/seg.nii.gz`]);
    const training = ["a", "b"].map((p) => ({ image: `${p}/t1.nii.gz`, label: `${p}/seg.nii.gz` }));
    const ids = parseDataset(msd({ training, numTraining: 2, test: [] }), folderOf(...files)).training.map((c) => c.id);
    expect(ids).toEqual(["a", "b"]);
  });

  test("an empty list beside a filled folder: files are found by name", () => {
    const json = msd({ training: [], test: [], numTraining: 0 });
    expect(first(json, "imagesTr/c_0000.nii.gz", "imagesTr/._c_0000.nii.gz")).toMatchObject({ id: "c", count: 1 });
    expect(first(json, "imagesTr/c.nii.gz")).toMatchObject({ id: "c", image: ["imagesTr/c.nii.gz"] });
    expect(() => parseDataset(json, folderOf())).toThrow(/no training cases: .* imagesTr has no images named <id>_0000.nii.gz/);
    const plain = parseDataset(json, folderOf("imagesTr/d.nii", "labelsTr/d.nii"));
    expect(plain.training).toEqual([{ id: "d", image: ["imagesTr/d.nii"], label: "labelsTr/d.nii" }]);
  });

  test("hidden files are left out with a note, what macOS hides without", () => {
    const labels = { background: 0, liver: 1 };
    const files = ["p", ".q", "._p"].flatMap((id) => [`imagesTr/${id}_0000.nii.gz`, `labelsTr/${id}.nii.gz`]);
    const { training, notes } = parseDataset({ labels, channel_names: { 0: "CT" } }, folderOf(...files));
    expect(training.map((c) => c.id)).toEqual(["p"]);
    expect(notes!.map((text) => text.split(":")[0])).toEqual([
      "imagesTr has a hidden image, .q_0000.nii.gz",
      "labelsTr has a hidden image, .q.nii.gz",
    ]);
  });

  test("stale counts and test images that were not downloaded are notes", () => {
    const index = parseDataset(msd({ numTraining: 7, test: ["imagesTs/t.nii.gz", "imagesTs/u.nii.gz"] }), msdFiles);
    expect(index.test.map((c) => c.id)).toEqual(["t"]);
    expect(index.notes).toEqual([
      "numTraining is 7, but there is 1 training case; all of them are used",
      '1 of 2 images of the list "test" are not there and are left out',
    ]);
  });

  test("entries that have no effect are named", () => {
    const json = msd({
      overwrite_image_reader_writer: "SimpleITKIO",
      spacing_override: [1, 1, 1],
      relase: "1.0",
      training: [{ ...msd().training[0], weight: 2 }],
    });
    const { notes } = parseDataset(json, msdFiles);
    expect(notes).toHaveLength(3);
    for (const name of ["overwrite_image_reader_writer", "spacing_override", "weight"])
      expect(notes!.some((n) => n.includes(name) && n.includes("no effect"))).toBe(true);
  });

  test("nnU-Net's regions, their order, and what is to be ignored", () => {
    const json = {
      channel_names: { 0: "MRI" },
      labels: { background: 0, whole: [1, 2], core: [2], ignore: 3 },
      numTraining: 1,
      file_ending: ".nii.gz",
    };
    const { labels, notes } = parseDataset({ ...json, regions_class_order: [1, 2] }, folderOf(channels[0], "labelsTr/c.nii.gz"));
    expect(labels.map((l) => l.writes)).toEqual([undefined, 1, 2, undefined]);
    expect([labels[3].ignore, notes]).toEqual([true, []]);
  });

  test("nnU-Net's list of files that lie elsewhere in the folder", () => {
    const json = { ...msd({ training: undefined, test: [] }), dataset: { one: { images: ["x/i.nii.gz"], label: "x/l.nii.gz" } } };
    expect(parseDataset(json, folderOf("x/i.nii.gz", "x/l.nii.gz")).training).toEqual([
      { id: "one", image: ["x/i.nii.gz"], label: "x/l.nii.gz" },
    ]);
  });

  test("no name of a case leads out of the folder of results", () => {
    for (const id of ["../up", "a/b", "a\\b", ""]) {
      const json = { ...msd({ training: undefined, test: [] }), dataset: { [id]: { images: ["i.nii.gz"], label: "l.nii.gz" } } };
      const parse = () => parseDataset(json, folderOf("i.nii.gz", "l.nii.gz"));
      expect(parse, id).toThrow(/^loadDataset: dataset.json: dataset\[".*"\] is no name of a case/);
    }
  });

  test("MONAI's validation list and fold numbers are the folds", () => {
    const files = ["a", "b", "c"].flatMap((p) => [`i/${p}.nii.gz`, `l/${p}.nii.gz`]);
    const items = ["a", "b", "c"].map((p, fold) => ({ image: `i/${p}.nii.gz`, label: `l/${p}.nii.gz`, fold: fold % 2 }));
    const folds = parseDataset(msd({ training: items, numTraining: 3, test: [] }), folderOf(...files));
    expect(folds.splits).toEqual([
      { train: ["b"], val: ["a", "c"] },
      { train: ["a", "c"], val: ["b"] },
    ]);
    const json = msd({ training: items.slice(0, 2), numTraining: 2, validation: items.slice(2), test: [] });
    const held = parseDataset(json, folderOf(...files));
    expect(held.splits).toEqual([{ train: ["a", "b"], val: ["c"] }]);
    expect(held.training).toHaveLength(3);
  });

  test("channel names as a list, a word, or under each other's place", () => {
    for (const modality of [["MRI"], "MRI", { MRI: 0 }])
      expect(parseDataset(msd({ modality }), msdFiles).modality).toEqual(["MRI"]);
    expect(() => parseDataset(msd({ file_ending: ".h5" }), msdFiles)).toThrow(/file_ending is ".h5", which is no format/);
  });

  test("absolute paths inside of the folder, and all missing files at once", () => {
    const inside = { ...msdFiles, root: "/data/toy" };
    const training = [{ image: "/data/toy/imagesTr/a.nii.gz", label: "/data/toy/labelsTr/a.nii.gz" }];
    expect(parseDataset(msd({ training }), inside).training[0].image).toEqual(["imagesTr/a.nii.gz"]);
    expect(() => parseDataset(msd({ training: [{ image: "/data/toys/a.nii.gz" }] }), inside)).toThrow(
      /leaves the dataset's folder/,
    );
    const missing = ["x", "y"].map((id) => ({ image: `imagesTr/${id}.nii.gz`, label: `labelsTr/${id}.nii.gz` }));
    expect(() => parseDataset(msd({ training: missing }), msdFiles)).toThrow(
      /4 problems:\n {2}training\[0\].image names "imagesTr\/x/,
    );
  });
});

test("loads a folder from disk", async () => {
  await mkdir(join(dir, "imagesTr"));
  await mkdir(join(dir, "labelsTr"));
  const volume = makeVolume({ data: new Uint8Array(8).fill(1), shape: [1, 2, 2, 2] });
  await writeNiftiFile(join(dir, "imagesTr/a.nii.gz"), volume);
  await writeNiftiFile(join(dir, "labelsTr/a.nii.gz"), volume);
  await writeFile(join(dir, "dataset.json"), JSON.stringify(msd({ test: [] })));
  await writeFile(join(dir, "splits_final.json"), JSON.stringify([{ train: ["a"], val: [] }]));
  const index = await loadDataset(dir);
  const { train } = selectFold(index, await loadSplits(dir), 0);
  const { image, label } = await loadCase(train[0], index.labels);
  expect([image.shape, label?.shape]).toEqual([
    [1, 2, 2, 2],
    [1, 2, 2, 2],
  ]);
  await expect(loadDataset(join(dir, "none"))).rejects.toThrow(FormatError);
  const written = JSON.stringify(msd({ test: [] }), null, 1).replaceAll("\n", "\r\n");
  for (const bytes of [Buffer.from(`\ufeff${written}`), Buffer.from(`\ufeff${written}`, "utf16le")]) {
    await writeFile(join(dir, "dataset.json"), bytes);
    expect(await loadDataset(dir)).toEqual(index);
  }
  await writeFile(join(dir, "dataset.json"), "{");
  await expect(loadDataset(dir)).rejects.toThrow(/is not JSON/);
});

describe.skipIf(!existsSync(join(DATA, "hippocampus")))(`hippocampus of ${DATA} (skipped where absent)`, () => {
  test("index, folds and cases", async () => {
    const index = await loadDataset(join(DATA, "hippocampus"));
    expect([index.training.length, index.modality, index.labels.length]).toEqual([200, ["MRI"], 3]);
    const splits = await loadSplits(join(DATA, "hippocampus"));
    const { train, val } = selectFold(index, splits, 0);
    expect([train.length, val.length]).toEqual([160, 40]);
    const { image, label } = await loadCase(val[0], index.labels);
    expect(label?.shape).toEqual(image.shape);
    expect(image.spacing).toEqual([1, 1, 1]);
  });
});
