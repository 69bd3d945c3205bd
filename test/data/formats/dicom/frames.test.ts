/** @file DICOM files of several frames: which axes they make. */

import { deflateRawSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { DeflatedSource } from "../../../../src/data/formats/dicom/source.ts";
import { readDicom } from "../../../../src/data/formats/dicom/read_dicom.ts";
import { dicomFormat } from "../../../../src/data/formats/dicom/dicom.ts";
import { readSeries } from "../../../../src/data/formats/dicom/series.ts";
import { ConfigError, FormatError } from "../../../../src/host/errors.ts";
import {
  type DicomValue,
  dicomSlice,
  type Elements,
  encodings,
  frameGroups,
  imageFile,
  type SliceOptions,
} from "../../../lib/dicom_file.ts";

const read = (options: SliceOptions) => readDicom(imageFile(dicomSlice(options)));

describe("frames", () => {
  const shared: Elements = new Map([
    [0x00209116, ["SQ", [new Map([[0x00200037, ["DS", "1\\0\\0\\0\\1\\0"] as const]])]]],
    [
      0x00289110,
      [
        "SQ",
        [
          new Map([
            [0x00280030, ["DS", "2\\2"] as const],
            [0x00180050, ["DS", "5"] as const],
          ]),
        ],
      ],
    ],
  ]);
  const enhanced = (frames: readonly Elements[]): SliceOptions => ({
    pixels: frames.flatMap((_, f) => Array.from({ length: 6 }, (__, p) => 10 * f + p)),
    more: {
      0x00200032: undefined,
      0x00200037: undefined,
      0x00280008: ["IS", String(frames.length)],
      0x52009229: ["SQ", [shared]],
      0x52009230: ["SQ", frames],
    },
  });

  test.for(["explicit", "delimited", "implicit"] as const)(
    "of an enhanced object have their own place and scaling (%s)",
    async (name) => {
      const volume = await read({
        ...enhanced([frameGroups(0, 0), frameGroups(8, 100), frameGroups(4, 200)]),
        encoding: encodings[name],
      });
      expect(volume.shape).toEqual([1, 3, 2, 3]);
      expect([...volume.data.subarray(0, 3)]).toEqual([0, 220, 110]);
      expect(volume.spacing).toEqual([2, 2, 4]);
    },
  );

  test("of a deflated object are inflated as they are wanted, in whatever order they lie", async () => {
    const z = [0, 7, 3, 9, 1, 8, 2, 6, 4, 5];
    const object = enhanced(z.map((k) => frameGroups(4 * k, 100 * k)));
    const [plain, deflated] = await Promise.all(
      [encodings.explicit, encodings.deflated].map((encoding) => read({ ...object, encoding })),
    );
    expect([...plain.data.subarray(0, 10)]).toEqual(z.toSorted().map((k) => 10 * z.indexOf(k) + 100 * k));
    expect(deflated.data).toEqual(plain.data);
    const cut = imageFile(dicomSlice({ ...object, encoding: encodings.deflated }).slice(0, -40));
    await expect(readDicom(cut)).rejects.toThrow(/of the deflated data set are wanted, but it has|deflated data set is damaged/);
  });

  test("that a deflated object promises and does not have cost the memory that arrives, and no more", async () => {
    const bytes = Uint8Array.from({ length: 200_000 }, (_, i) => i >> 8);
    const source = new DeflatedSource(new Blob([deflateRawSync(bytes)]), 0, (problem) => new FormatError(problem));
    // More than an array can have, so that whoever asks for it before it is there gets a RangeError.
    await expect(source.range(100, 2 ** 53 - 200)).rejects.toThrow(/wanted, but it has 200000$/);
    for (const [from, length] of [
      [100, 150_000],
      [150_100, 0],
      [150_100, 49_900],
      [7, 100_000],
    ])
      // oxfmt-ignore
      expect(await source.range(from, length)).toEqual(bytes.subarray(from, from + length));
    // Of what is in memory as a whole by now, too.
    for (let from = 9; from >= 0; from--) expect(await source.range(from, 5)).toEqual(bytes.subarray(from, from + 5));
    await expect(source.range(100, 2 ** 53 - 200)).rejects.toThrow(FormatError);
    expect((await source.prefix(2 ** 53)).bytes).toEqual(bytes);
  });

  test("of several orientations are several stacks, of which one is read", async () => {
    const plane = (z: number, turned: boolean): Elements =>
      new Map([
        [0x00209113, ["SQ", [new Map([[0x00200032, ["DS", `0\\0\\${z}`] as const]])]]],
        [0x00209116, ["SQ", [new Map([[0x00200037, ["DS", turned ? "0\\1\\0\\0\\0\\-1" : "1\\0\\0\\0\\1\\0"] as const]])]]],
      ]);
    const file = imageFile(
      dicomSlice({
        pixels: Array.from({ length: 18 }, (_, i) => i),
        more: {
          0x00200032: undefined,
          0x00200037: undefined,
          0x00280008: ["IS", "3"],
          0x52009230: ["SQ", [plane(0, false), plane(4, false), plane(0, true)]],
        },
      }),
    );
    await expect(readDicom(file)).rejects.toThrow(/frames 1 and 3 differ in orientation or pixel size; they are several stacks/);
    await expect(readDicom(file)).rejects.toThrow(ConfigError);
    expect((await dicomFormat.read(file, { stack: 1 })).data[0]).toBe(12);
    expect((await readSeries([file], { stack: 0 })).shape).toEqual([1, 3, 2, 2]);
    expect((await readSeries([file], { stack: 1 })).data[0]).toBe(12);
  });

  test("that go against the normal keep their order", async () => {
    const volume = await read(enhanced([frameGroups(8, 0), frameGroups(4, 0), frameGroups(0, 0)]));
    expect([...volume.data.subarray(0, 3)]).toEqual([0, 10, 20]);
    expect(volume.affine[2]).toEqual([0, 0, -4, 8]);
  });

  test("at one place become channels by what tells them apart", async () => {
    const time = (t: number): [number, [string, DicomValue]][] => [
      [0x00209111, ["SQ", [new Map([[0x00209128, ["UL", [t]] as const]])]]],
    ];
    const volume = await read(
      enhanced([frameGroups(0, 0, time(2)), frameGroups(4, 0, time(2)), frameGroups(0, 0, time(1)), frameGroups(4, 0, time(1))]),
    );
    expect(volume.shape).toEqual([2, 3, 2, 2]);
    expect([...volume.data.subarray(0, 2), ...volume.data.subarray(12, 14)]).toEqual([20, 30, 0, 10]);
    expect(volume.meta.notes?.join()).toMatch(/channels, by temporalPositionIndex: 1; 2/);
  });

  test("of an RT dose grid lie at its offsets", async () => {
    const volume = await read({
      pixels: Array.from({ length: 12 }, (_, i) => i),
      more: { 0x00280008: ["IS", "2"], 0x3004000c: ["DS", "0\\7"], 0x3004000e: ["DS", "0.5"] },
    });
    expect(volume.spacing[2]).toBe(7);
    expect(volume.meta.notes?.join()).toMatch(/by 0.5/);
  });
});
