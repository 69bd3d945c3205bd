/** @file What the page says in Chinese of what the library says in English: recipes, their options, and what goes wrong. */

import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { inChinese } from "../../app/text/zh_errors.ts";
import { zhOptions } from "../../app/text/zh_options.ts";
import { addScans } from "../../app/worker/scans.ts";
import { notShown } from "../../app/worker/train.ts";
import { openData } from "../../app/worker/run_data.ts";
import { joinCase, makeVolume, readImage, readSeries, writeNifti } from "../../src/data/index.ts";
import { expectImage } from "../../src/seg/models/expect_image.ts";
import { dicomSlice } from "../lib/dicom_file.ts";
import { modelKindOf, recipes, runOptionTable } from "../../src/seg/index.ts";

test("recipes and their options have names and words in Chinese, and there are none of what is gone", () => {
  const said = recipes.flatMap(({ summary, options }) => {
    const shown = Object.entries({ ...runOptionTable, ...options }).filter(
      ([name, o]) => !notShown.has(name) && !o.file && !o.path,
    );
    // A list of choices is shown itself; a box that is ticked needs no word for what it must be.
    const told = shown.map(([name, o]) => [name, o.help, ...(o.choices || o.expects === "true or false" ? [] : [o.expects])]);
    return [summary, ...told.flat()];
  });
  expect(said.filter((words) => !Object.hasOwn(zhOptions, words))).toEqual([]);
  expect(Object.keys(zhOptions).filter((words) => !said.includes(words))).toEqual([]);
});

test("whatever the page's worker refuses is said in Chinese too", () => {
  const folder = join(import.meta.dirname, "../../app/worker");
  const source = globSync("*.ts", { cwd: folder }).map((file) => readFileSync(join(folder, file), "utf8"));
  const found = source.flatMap((text) => [...text.matchAll(/new \w+Error\(\s*(["`])(.*?)\1/g)].map(([, , message]) => message));
  expect(found.length).toBeGreaterThan(20);
  const said = found.map((message) => message.replace("${none}", "a.txt is no image").replaceAll(/\$\{.*?\}+(?=[^)]|$)/g, "7"));
  expect(said.filter((message) => inChinese(message) === undefined)).toEqual([]);
});

const volume = (...shape: number[]) => makeVolume({ data: new Uint8Array(shape.reduce((n, s) => n * s, 1)).fill(3), shape });
const labels = [
  { name: "background", values: [0] },
  { name: "ball", values: [1] },
];
const blob = (bytes: Uint8Array | string): Blob => new Blob([bytes as Uint8Array<ArrayBuffer>]);

const slices = (places: readonly number[]) =>
  places.map((k, i) => ({ name: `IM${i}`, blob: blob(dicomSlice({ position: [0, 0, 2 * k], instance: i + 1 })) }));

/** What a user does, and what the page then says, the English detail aside. */
const faults: readonly (readonly [name: string, work: () => unknown, said: string])[] = [
  [
    "a file that is cut short",
    async () => {
      const bytes = await writeNifti(volume(1, 20, 20, 20), { dtype: "u8", gzip: true });
      return readImage(blob(bytes.subarray(0, 60)), { name: "cut.nii.gz" });
    },
    "cut.nii.gz 无法读到末尾：文件不完整或已损坏",
  ],
  ["a file that is no image", () => readImage(blob("hello"), { name: "letter.xyz" }), "letter.xyz 不是认识的影像格式"],
  ["slices that are missing", () => readSeries(slices([0, 1, 2, 6])), "IM2 与 IM3 之间缺少切片：相距 8 mm，其余为 2 mm"],
  ["slices that are unevenly spaced", () => readSeries(slices([0, 1, 2.3])), "切片间距不一：2 mm 至 2.6 mm"],
  [
    "slices that are doubled",
    () => readSeries(slices([0, 1, 1])),
    "同一位置有多张切片（如 IM1 and IM2）：请去掉重复的切片，或补全序列",
  ],
  ["files without an image", () => addScans([{ path: "a.txt", file: blob("a") }], () => undefined), "a.txt 不是影像文件"],
  [
    "a folder of another layout",
    () => openData({ kind: "files", name: "photos", files: [{ path: "photos/a.jpg", file: blob("a") }] }),
    "photos 不是认识的数据集：需要 dataset.json（Decathlon、nnU-Net）、LUNA16 的 annotations.csv，或 CHAOS 的 MR/、CT/ 文件夹",
  ],
  [
    "an image of too many channels",
    () => expectImage(volume(3, 4, 4, 4), ["T1", "T2"]),
    "影像有 3 个通道，模型需要 2 个：T1, T2",
  ],
  [
    "files that are no model",
    () => modelKindOf({ name: "a.bin", paths: ["a.bin"], read: () => Promise.reject(new Error("unread")) }),
    "a.bin 不是认识的模型：需要训练结果、nnU-Net 或 MONAI 的文件夹，ONNX 文件，或 TensorFlow.js 的 model.json 与分片",
  ],
  [
    "a label of another size",
    () => joinCase("one", [volume(1, 4, 4, 4)], volume(1, 4, 4, 5), labels),
    "病例“one”的标签大小为 [4,4,5]，影像为 [4,4,4]：两者须在同一网格上",
  ],
  [
    "a label with a class that is not listed",
    () => joinCase("one", [volume(1, 4, 4, 4)], volume(1, 4, 4, 4), labels),
    "病例“one”的标签中有值 3，而 dataset.json 中没有这个类别",
  ],
];

test.for(faults)("%s", async ([, work, said]) => {
  const error = await (async () => work())().then(
    () => undefined,
    (e: unknown) => e as Error,
  );
  expect(inChinese(error!.message), error!.message).toBe(said);
});
