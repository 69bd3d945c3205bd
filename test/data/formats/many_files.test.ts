/** @file Folders of many files: only some are open at once, and a folder is not listed anew for each of its files. */

import { mkdtempSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, expect, test, vi } from "vitest";
import { contentStamp } from "../../../src/data/datasets/content_stamp.node.ts";
import { listSeries, makeVolume, readImage, readSeries, writeImage } from "../../../src/data/index.ts";
import { dicomSlice } from "../../lib/dicom_file.ts";
import { onFailingDisk } from "../../lib/failing_disk.ts";

const folder = mkdtempSync(join(tmpdir(), "voxgrad-many-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
afterEach(() => vi.restoreAllMocks());

test("300 slices: fewer than a hundred are read at a time; more than a process may open failed", async () => {
  const [{ bytes }] = await writeImage("a.png", makeVolume({ data: Uint8Array.of(1, 2, 3, 4), shape: [1, 2, 2, 1] }));
  const files = Array.from({ length: 300 }, (_, i) => new File([bytes as Uint8Array<ArrayBuffer>], `${i}.png`));
  let [open, most] = [0, 0];
  const { arrayBuffer } = Blob.prototype;
  vi.spyOn(Blob.prototype, "arrayBuffer").mockImplementation(async function (this: Blob) {
    most = Math.max(most, ++open);
    const read = await arrayBuffer.call(this);
    open--;
    return read;
  });
  expect((await readImage(files)).shape).toEqual([1, 2, 2, 300]);
  expect(most).toBeLessThan(100);
});

test("the stamp of an image lists its folder once, and sees what comes and goes", async () => {
  const at = (name: string) => join(folder, name);
  for (const name of ["a.tif", "a.json", "a-b.tif", "b.tif", "A.json"]) writeFileSync(at(name), name);
  const longAgo = () => utimesSync(folder, new Date(2020, 1, 1), new Date(2020, 1, 1));
  const names = async () => (await contentStamp(at("a.tif")))!.split("\n").map((line) => line.split(" ")[0]);
  longAgo();
  expect(await names()).toEqual(["a.tif", "a.json"]);
  const calls: (string | undefined)[] = [];
  do calls.push((await onFailingDisk(folder, calls.length + 1, () => contentStamp(at("b.tif")).catch(() => undefined))).failed);
  while (calls.at(-1));
  expect(calls.filter((call) => call?.startsWith("readdir"))).toEqual([]);

  writeFileSync(at("a.nii"), "");
  expect(await names()).toEqual(["a.tif", "a.json", "a.nii"]);
  // Within the clock's step of a change nothing is taken for known.
  utimesSync(folder, new Date(), new Date());
  await names();
  rmSync(at("a.json"));
  expect(await names()).toEqual(["a.tif", "a.nii"]);
  longAgo();
  await names();
  rmSync(folder, { recursive: true });
  expect(await contentStamp(at("a.tif"))).toBeUndefined();
});

test("a slice that is empty or cut short is an error; the volume was one of fewer slices", async () => {
  const [{ bytes }] = await writeImage("a.png", makeVolume({ data: Uint8Array.of(1, 2, 3, 4), shape: [1, 2, 2, 1] }));
  const file = (name: string, content: Uint8Array) => new File([content as Uint8Array<ArrayBuffer>], name);
  const picture = (name: string) => file(name, bytes);
  const slice = (name: string) => {
    const z = Number.parseInt(name, 10);
    return file(name, dicomSlice({ position: [0, 0, z], instance: z }));
  };
  for (const [make, ending, title] of [
    [picture, "png", "PNG"],
    [slice, "dcm", "DICOM"],
  ] as const) {
    const whole = Array.from({ length: 3 }, (_, i) => make(`${i}.${ending}`));
    for (const good of [whole, whole.slice(0, 1)]) {
      const empty = readImage([...good, file(`3.${ending}`, new Uint8Array(0))]);
      await expect(empty).rejects.toThrow(`readImage: 3.${ending} is empty, and by its name a slice beside 0.${ending}`);
      await expect(readImage([...good, file(`3.${ending}`, bytes.slice(0, 3))])).rejects.toThrow(`3.${ending} is no ${title}`);
      expect((await readImage([...good, file("readme.txt", new Uint8Array(0))])).shape[3]).toBe(good.length);
    }
  }
  const files = ["0.dcm", "1.dcm"].map(slice).concat(file("2.dcm", new Uint8Array(100)), file("notes", new Uint8Array(0)));
  const named = files.map((blob) => ({ name: blob.name, blob }));
  expect((await listSeries(named)).map(({ count, problems }) => [count, problems.length])).toEqual([[2, 1]]);
  await expect(readSeries(named)).rejects.toThrow("readSeries: 2.dcm has 100 bytes, which are no DICOM image; get it again");
});
