/** @file Datasets as the page reads them from picked files. */

import { expect, test } from "vitest";
import { layouts } from "../../app/worker/layouts.ts";
import { encodeNifti, makeVolume } from "../../src/data/index.ts";
import { dicomSlice } from "../lib/dicom_file.ts";

test("a folder of DICOM slices is an image, of several series the one that dataset.json names", async () => {
  const slices = [1, 2, 3].flatMap((instance) =>
    ["venous", "arterial"].map((description, i): [string, Blob] => {
      const name = `p1/${description}${instance}.dcm`;
      const pixels = [0, 1, 2, 3, 4, 5].map((v) => v + 100 * i);
      const more = { 0x0008103e: ["LO", description] as const, 0x0020000d: ["UI", "1.2.8"] as const };
      return [name, new File([dicomSlice({ series: `1.2.${i}`, instance, pixels, more })], name)];
    }),
  );
  const open = (entry: object) => {
    const json = { labels: { background: 0, liver: 1 }, training: [{ image: "p1", label: "labels/p1.nii.gz", ...entry }] };
    const label = makeVolume({ data: new Uint8Array(18), shape: [1, 3, 2, 3] });
    const files = new Map<string, Blob>([
      ["dataset.json", new Blob([JSON.stringify(json)])],
      ["labels/p1.nii.gz", new Blob([encodeNifti(label)])],
      ...slices,
    ]);
    return layouts.find((layout) => layout.matches(files))!.open(files, {});
  };
  const { index, read } = await open({ series: "arterial" });
  const { label: _, ...item } = index.training[0];
  const { id, image } = await read(item);
  expect([id, image.shape, image.data[0]]).toEqual(["p1", [1, 3, 2, 3], 100]);
  const plain = await open({});
  await expect(plain.read(plain.index.training[0])).rejects.toThrow(/2 series are there/);
});
