/** @file Channels and label of a case become one image and one label, or an error that says what does not lie where. */

import { describe, expect, test } from "vitest";
import { joinCase } from "../../../src/data/folders/join_case.ts";
import { onKeys, Spacing } from "../../../src/data/transforms/index.ts";
import { type Affine, makeVolume, type Volume } from "../../../src/data/volume.ts";
import { DataError, ShapeError } from "../../../src/host/errors.ts";

describe("joinCase", () => {
  const affine = (sx = 1, sy = 1): Affine => [
    [sx, 0, 0, 0],
    [0, sy, 0, 0],
    [0, 0, 1, 0],
    [0, 0, 0, 1],
  ];
  const volume = (values: number[], shape: number[], a = affine()) => makeVolume({ data: Float32Array.from(values), shape }, a);
  const labels = [
    { name: "background", values: [0] },
    { name: "x", values: [2] },
  ];
  const image = volume([1, 2], [1, 2, 1, 1]);

  test("joins channels", () => {
    const { image: two } = joinCase("a", [image, volume([3, 4], [1, 2, 1, 1])], undefined, labels);
    expect(two.shape).toEqual([2, 2, 1, 1]);
    expect([...two.data]).toEqual([1, 2, 3, 4]);
    expect(() => joinCase("a", [image, volume([3], [1, 1, 1, 1])], undefined, labels)).toThrow(ShapeError);
  });
  test("refuses channels that are shifted or flipped against each other, naming both", () => {
    const named = (name: string, a: Affine) => makeVolume({ data: new Uint8Array(2), shape: [1, 2, 1, 1] }, a, { source: name });
    const flipped = affine(-1).map((row, r) => (r === 0 ? [-1, 0, 0, 1] : row));
    const join = (a: Affine) => () => joinCase("a", [named("t1.nii", affine()), named("t2.nii", a)], undefined, labels);
    expect(join(flipped)).toThrow(/array axis 0 of channel 1 \(t2.nii\) and channel 0 \(t1.nii\) point 180° apart/);
    expect(join(affine(1, 1.5))).toThrow(DataError);
    expect(join(affine().map((row, r) => (r === 2 ? [0, 0, 1, 7] : row)))).toThrow(/lies \[0,0,7\] voxels from/);
    expect(join(affine().map((row, r) => (r === 2 ? [0, 0, 1, 0.4] : row)))().image.shape).toEqual([2, 2, 1, 1]);
  });
  test("refuses a label that lies beside its image, in voxels of any direction", () => {
    const oblique: Affine = [
      [0, -2, 0, 10],
      [3, 0, 0, -5],
      [0, 0, 0.5, 0],
      [0, 0, 0, 1],
    ];
    const moved = (mm: number[]) => oblique.map((row, r) => (r < 3 ? [...row.slice(0, 3), row[3] + mm[r]] : row));
    const join = (mm: number[]) => () =>
      joinCase("a", [volume([1, 2], [1, 2, 1, 1], oblique)], volume([0, 2], [1, 2, 1, 1], moved(mm)), labels);
    expect(join([0, 15, 0])).toThrow(/the label lies \[5,0,0\] voxels from the image/);
    expect(join([0, 0, 0.3])).toThrow(/\[0,0,0.6\]/);
    expect(join([0.9, 1.4, 0.2])).not.toThrow();
  });
  test("refuses a label half a voxel beside its image, as origins at corners and at centers differ", () => {
    const moved = (mm: number): Affine => [[1, 0, 0, mm], ...affine().slice(1)] as unknown as Affine;
    const join = (mm: number) => () => joinCase("a", [image], volume([0, 2], [1, 2, 1, 1], moved(mm)), labels);
    for (const mm of [0.5, -0.5, 0.4999]) expect(join(mm), String(mm)).toThrow(/lies \[-?0.5,0,0\] voxels from the image/);
    expect(join(-0.4)).not.toThrow();
  });
  test("refuses a label whose last voxels lie elsewhere, however little a voxel size or a direction differs", () => {
    const voxels = 60;
    const long = (a: Affine, n = voxels) => volume(new Array<number>(n).fill(0), [1, n, 1, 1], a);
    const turned = (degrees: number): Affine => {
      const [c, s] = [Math.cos((degrees * Math.PI) / 180), Math.sin((degrees * Math.PI) / 180)];
      return [
        [c, -s, 0, 0],
        [s, c, 0, 0],
        [0, 0, 1, 0],
        [0, 0, 0, 1],
      ];
    };
    const join = (a: Affine, n?: number) => () => joinCase("a", [long(affine(), n)], long(a, n), labels);
    expect(join(affine(1.009))).toThrow(/lies \[0.53,0,0\] voxels from the image at a corner: .* voxel sizes or directions/);
    expect(join(turned(5))).toThrow(/lies \[-0.22,5.14,0\] voxels from the image at a corner/);
    expect(() => joinCase("a", [long(affine()), long(affine(1.009))], undefined, labels)).toThrow(/channel 1 lies \[0.53,0,0\]/);
    // What headers round to is less than that, and so is what short axes make of it.
    expect(join(affine(1.005))).not.toThrow();
    expect(join(turned(5), 5)).not.toThrow();
  });
  test("rounds label values a hair from an integer, and refuses others", () => {
    expect([...joinCase("a", [image], volume([1e-4, 1.9999], [1, 2, 1, 1]), labels).label!.data]).toEqual([0, 2]);
    expect(() => joinCase("a", [image], volume([0, 1.99], [1, 2, 1, 1]), labels)).toThrow(/is not a class/);
    const exact = volume([0, 2], [1, 2, 1, 1]);
    expect(joinCase("a", [image], exact, labels).label!.data).toBe(exact.data);
  });
  test("the label is one to transforms, named or not", () => {
    const { label } = joinCase("a", [image], volume([0, 2], [1, 2, 1, 1]), labels);
    const finer = onKeys(["label"], new Spacing({ pixdim: [0.3, 1, 1] })).apply({ label }) as { label: Volume };
    expect([...new Set(finer.label.data)]).toEqual([0, 2]);
  });
  test("refuses labels without values, and says which there are", () => {
    const without = [{ name: "x", value: 2 }] as unknown as typeof labels;
    expect(() => joinCase("a", [image], volume([0, 2], [1, 2, 1, 1]), without)).toThrow(/^joinCase: labels\[0\]\.values must be/);
    expect(() => joinCase("a", [image], volume([0, 3], [1, 2, 1, 1]), labels)).toThrow(/^joinCase: .*its labels .* have 0, 2$/);
  });
  test("checks the label", () => {
    expect(joinCase("a", [image], volume([0, 2], [1, 2, 1, 1]), labels).label?.data[1]).toBe(2);
    expect(() => joinCase("a", [image], volume([0], [1, 1, 1, 1]), labels)).toThrow(ShapeError);
    expect(() => joinCase("a", [image], volume([0, 0, 0, 0], [2, 2, 1, 1]), labels)).toThrow(/2 channels/);
    for (const v of [1, 0.5, NaN])
      expect(() => joinCase("a", [image], volume([0, v], [1, 2, 1, 1]), labels)).toThrow(/is not a class .* 0, 2/);
    expect(() => joinCase("a", [image], volume([0, 2], [1, 2, 1, 1], affine(2)), labels)).toThrow(/voxel size/);
    expect(() => joinCase("a", [image], volume([0, 2], [1, 2, 1, 1], affine(-1)), labels)).toThrow(/axis 0 .* 180°/);
  });
});
