/** @file CHAOS folders: cases by patient and sequence, slices by position whatever their series, label pictures to classes in their places. */

import { expect, test } from "vitest";
import { type ChaosCase, chaosLabels, listChaos, readChaosCase, type ReadChaosOptions } from "../../../src/data/folders/chaos.ts";
import { DataError, FormatError } from "../../../src/host/errors.ts";
import { dicomSlice } from "../../lib/dicom_file.ts";

const disk = new Map<string, Uint8Array<ArrayBuffer>>();
/** Three slices from the head down, as CT has them, each of a series of its own. */
function addSlices(folder: string, names: readonly string[], value: number): void {
  for (const [k, name] of names.entries())
    disk.set(
      `${folder}/${name}`,
      dicomSlice({
        series: `1.2.${value}.${k}`,
        instance: k + 1,
        position: [0, 0, 10 - 5 * k],
        pixels: Array.from({ length: 6 }, () => value + k),
      }),
    );
}
// A picture for tests: width, height, values.
const picture = (...values: number[]): Uint8Array<ArrayBuffer> => Uint8Array.from([3, 2, ...values]);
const options: ReadChaosOptions = {
  open: (path) => Promise.resolve({ name: path, blob: new Blob([disk.get(path) ?? new Uint8Array()]) }),
  decodePng: ([width, height, ...data]) => Promise.resolve({ width, height, channels: 1, data: Uint8Array.from(data) }),
};

const mr = "Train_Sets/MR/10/T1DUAL";
addSlices(`${mr}/DICOM_anon/InPhase`, ["IMG-0004-00002.dcm", "IMG-0004-00004.dcm", "IMG-0004-00006.dcm"], 10);
addSlices(`${mr}/DICOM_anon/OutPhase`, ["IMG-0004-00001.dcm", "IMG-0004-00003.dcm", "IMG-0004-00005.dcm"], 20);
for (const [k, name] of ["00002", "00004", "00006"].entries())
  disk.set(`${mr}/Ground/IMG-0004-${name}.png`, picture(0, 63, 126, 189, 252, k === 0 ? 63 : 0));
addSlices("Train_Sets/MR/2/T2SPIR/DICOM_anon", ["IMG-0002-00001.dcm"], 30);
addSlices("Train_Sets/CT/2/DICOM_anon", ["i0000,0000b.dcm", "i0001,0000b.dcm"], 40);
disk.set("Train_Sets/CT/2/Ground/liver_GT_000.png", picture(255, 0, 0, 0, 0, 0));
disk.set("Train_Sets/CT/2/Ground/liver_GT_001.png", picture(0, 255, 0, 0, 0, 0));
disk.set("Train_Sets/MR/2/T2SPIR/Ground/.DS_Store", picture());

const byId = (id: string): ChaosCase => listChaos([...disk.keys()]).find((c) => c.id === id) ?? expect.fail(id);

test("cases are listed by modality, patient and sequence", () => {
  const cases = listChaos([...disk.keys()]);
  expect(cases.map((c) => [c.id, c.patient, c.image.length, c.outPhase?.length, c.ground?.length])).toEqual([
    ["CT_2", "CT_2", 2, undefined, 2],
    ["MR_2_T2SPIR", "MR_2", 1, undefined, undefined],
    ["MR_10_T1DUAL", "MR_10", 3, 3, 3],
  ]);
  expect(() => listChaos(["a/b.dcm"])).toThrow(FormatError);
});

test("pictures come to the slices of their names, in the place that the positions give", async () => {
  const { image, label } = await readChaosCase(byId("MR_10_T1DUAL"), { ...options, phases: "both" });
  expect(image.shape).toEqual([2, 3, 2, 3]);
  expect([...image.data.subarray(0, 3), ...image.data.subarray(18, 21)]).toEqual([12, 11, 10, 22, 21, 20]);
  expect(label?.shape).toEqual([1, 3, 2, 3]);
  expect(label?.affine).toEqual(image.affine);
  const at = (x: number, y: number, z: number) => label?.data[(x * 2 + y) * 3 + z];
  expect([at(0, 0, 0), at(1, 0, 0), at(2, 0, 0), at(0, 1, 0), at(1, 1, 0)]).toEqual([0, 1, 2, 3, 4]);
  expect([at(2, 1, 0), at(2, 1, 1), at(2, 1, 2)]).toEqual([0, 0, 1]);
  expect((await readChaosCase(byId("MR_10_T1DUAL"), options)).image.shape[0]).toBe(1);
});

test("without common names the sorted names go together", async () => {
  const { label } = await readChaosCase(byId("CT_2"), options);
  expect([...(label?.data ?? [])]).toEqual([0, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0]);
  expect(chaosLabels("CT").map((l) => l.name)).toEqual(["background", "liver"]);
  expect(chaosLabels("T2SPIR")).toHaveLength(5);
});

test("a gray value of no class, a picture too few and one of another size are errors", async () => {
  const item = byId("CT_2");
  const ground = item.ground ?? [];
  await expect(readChaosCase({ ...item, ground: ground.slice(1) }, options)).rejects.toThrow(/2 slices and 1 label pictures/);
  const read = (bytes: Uint8Array<ArrayBuffer>) =>
    readChaosCase(item, {
      ...options,
      open: (p) => (p === ground[0] ? Promise.resolve({ name: p, blob: new Blob([bytes]) }) : options.open(p)),
    });
  await expect(read(picture(0, 0, 90, 0, 0, 0))).rejects.toThrow(
    /gray value 90 at \(2, 0\) is of no class; expected 0 \(background\), 240 to 255 \(liver\)/,
  );
  await expect(read(picture(0, 0, 90, 0, 0, 0))).rejects.toThrow(DataError);
  await expect(read(Uint8Array.of(1, 1, 0))).rejects.toThrow(/has 1×1 pixels, its slice 3×2/);
  const lost = new Blob([]);
  lost.arrayBuffer = () => Promise.reject(new DOMException("it is gone", "NotReadableError"));
  const open: ReadChaosOptions["open"] = (p) => (p === ground[0] ? Promise.resolve({ name: p, blob: lost }) : options.open(p));
  await expect(readChaosCase(item, { ...options, open })).rejects.toThrow(/^readChaosCase: .*liver_GT_000\.png cannot be read/);
  await expect(readChaosCase(byId("MR_2_T2SPIR"), { ...options, extra: 1 } as ReadChaosOptions)).rejects.toThrow(
    /no option "extra"/,
  );
});
