/** @file Transforms of a bundle compute in the type that it names, as those of `voxgrad/data` by themselves do. */

import { expect, test } from "vitest";
import { Affine, Rotate, Spacing, SpatialResample } from "../../../src/data/transforms/index.ts";
import { type Affine as AffineMatrix, makeVolume } from "../../../src/data/volume.ts";
import type { HostArray } from "../../../src/host/array.ts";
import { FormatError } from "../../../src/host/errors.ts";
import { forKey, stepOf } from "../../../src/seg/bundle/components.ts";
import { BundleConfig } from "../../../src/seg/bundle/config.ts";

const identity = [0, 1, 2, 3].map((r) => [0, 1, 2, 3].map((c) => Number(r === c))) as unknown as AffineMatrix;
const numbered = (...shape: readonly [number, number, number]) =>
  makeVolume(
    { data: Float32Array.from({ length: shape[0] * shape[1] * shape[2] }, (_, i) => i), shape: [1, ...shape] },
    identity,
  );
/** A step as `inference.json` has it. */
const step = (fields: object) => stepOf(forKey(new BundleConfig("test", { step: fields } as never).component("step")!, "image")!);
const nearest = { mode: "nearest", paddingMode: "border" } as const;
const inPython = { mode: "nearest", padding_mode: "border" };
const dstAffine = identity.map((row, r) => row.map((v) => (r < 2 ? v * 1.5 : v)));

// Of each the places halfway between voxels, which the types part over.
test.each([
  ["Spacing", { pixdim: [1.5, 1.5, 1] }, [5, 7, 1], (o: object) => new Spacing({ pixdim: [1.5, 1.5, 1], ...o })],
  [
    "Rotate",
    { angle: [0, 0, 0.33], keep_size: false },
    [6, 3, 1],
    (o: object) => new Rotate({ angle: [0, 0, 0.33], keepSize: false, ...o }),
  ],
  ["Affine", { scale_params: [2, 2, 1] }, [9, 6, 1], (o: object) => new Affine({ scaleParams: [2, 2, 1], ...o })],
  ["SpatialResample", { dst_affine: dstAffine }, [5, 7, 1], (o: object) => new SpatialResample({ dstAffine: dstAffine, ...o })],
] as const)("%s", (name, fields, shape, make) => {
  const x = numbered(shape[0], shape[1], shape[2]);
  const values = (apply: (x: HostArray) => HostArray) => Array.from(apply(x).data);
  const ours = (dtype: string) => values((y) => make({ ...nearest, dtype } as object).apply(y) as HostArray);
  const single = ours("float32");
  const double = ours("float64");
  expect(single).not.toEqual(double);
  const bundled = (dtype: unknown, target = `${name}d`) =>
    values(step({ _target_: target, keys: "image", ...fields, ...inPython, dtype }));
  for (const dtype of ["$torch.float32", "$np.float32", "float32", "$torch.float", null]) expect(bundled(dtype)).toEqual(single);
  for (const dtype of ["$torch.float64", "$np.float64", "$torch.double"]) expect(bundled(dtype)).toEqual(double);
  expect(bundled("$torch.float64", name)).toEqual(double);
  expect(() => bundled("$torch.int16")).toThrow(`${name}: dtype must be "float32" or "float64", got "int16"`);
  expect(() => bundled("$type(@x)")).toThrow(FormatError);
});

test("a type for each key; one that is named where none is taken is left out", () => {
  const x = numbered(5, 7, 1);
  const at = (dtype: string) => Array.from(new Spacing({ pixdim: [1.5, 1.5, 1], ...nearest, dtype } as never).apply(x).data);
  const spacing = { _target_: "Spacingd", pixdim: [1.5, 1.5, 1], ...inPython };
  const each = (keys: string[]) => step({ ...spacing, keys, dtype: ["$torch.float32", "$torch.float64"] });
  expect(Array.from(each(["image", "label"])(x).data)).toEqual(at("float32"));
  expect(Array.from(each(["label", "image"])(x).data)).toEqual(at("float64"));
  expect(step({ _target_: "EnsureChannelFirstd", keys: "image", channel_dim: 0, dtype: "$torch.int16" })(x).data).toEqual(x.data);
  expect(step({ _target_: "CastToTyped", keys: "image", dtype: "$torch.uint8" })(x).data).toBeInstanceOf(Uint8Array);
});

test("intensity transforms and EnsureType give the type that is named, or refuse one that nothing here has", () => {
  const x = numbered(3, 4, 5);
  for (const [target, fields] of [
    ["EnsureTyped", {}],
    ["ScaleIntensityd", {}],
    ["ScaleIntensityRanged", { a_min: 0, a_max: 10, b_min: 0, b_max: 100 }],
    ["NormalizeIntensityd", {}],
    ["RandGaussianNoised", { prob: 1 }],
  ] as const) {
    const made = (dtype: unknown) => step({ _target_: target, keys: "image", ...fields, dtype });
    expect(made("$torch.float64")(x).data, target).toBeInstanceOf(Float64Array);
    expect(made("$np.int16")(x).data, target).toBeInstanceOf(Int16Array);
    for (const none of [null, "$torch.float"]) expect(made(none)(x).data, target).toBeInstanceOf(Float32Array);
    expect(() => made("$torch.complex64")(x), target).toThrow(/unknown dtype "complex64"; known(:| are) float64, float32/);
  }
});

// What MONAI 1.5.0 gives for -3.7 + 100.125 i, i from 0 to 12, in float32.
test.each([
  [
    "EnsureTyped",
    "$torch.float16",
    {},
    [-3.69921875, 96.4375, 196.5, 296.75, 396.75, 497, 597, 697, 797.5, 897.5, 997.5, 1098, 1198],
  ],
  ["EnsureTyped", "$np.int64", {}, [-3, 96, 196, 296, 396, 496, 597, 697, 797, 897, 997, 1097, 1197]],
  ["CastToTyped", "$torch.long", {}, [-3, 96, 196, 296, 396, 496, 597, 697, 797, 897, 997, 1097, 1197]],
  ["EnsureTyped", "$np.bool_", {}, [1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1]],
  [
    "ScaleIntensityRanged",
    "$torch.half",
    { a_min: 0, a_max: 10, b_min: 0, b_max: 100 },
    [-37, 964, 1966, 2966, 3968, 4968, 5972, 6972, 7972, 8976, 9976, 10976, 11976],
  ],
  ["NormalizeIntensityd", "$torch.int64", {}, [-1, -1, -1, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1]],
  [
    "ScaleIntensityRanged",
    "$torch.bool",
    { a_min: -3.7, a_max: 10, b_min: 0, b_max: 100 },
    [0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1],
  ],
])("%s to %s, which no array here has, gives its values in another", (target, dtype, fields, expected) => {
  const data = Float32Array.from({ length: 13 }, (_, i) => -3.7 + i * 100.125);
  const made = step({ _target_: target, keys: "image", ...fields, dtype });
  expect(Array.from(made({ data, shape: [1, 13] }).data)).toEqual(expected);
});

test("a type whose values nothing here holds, or that a transform would compute in, is refused", () => {
  const made = (fields: object) => step({ keys: "image", ...fields });
  const x = { data: Float32Array.of(1, 3e9), shape: [1, 2] };
  expect(() => made({ _target_: "EnsureTyped", dtype: "$torch.int64" })(x)).toThrow(/EnsureTyped: int64 .* 3000000000/);
  expect(() => made({ _target_: "EnsureTyped", dtype: "$torch.int64" })({ data: Float32Array.of(NaN), shape: [1] })).toThrow(
    /NaN/,
  );
  for (const target of ["ScaleIntensityd", "RandGaussianNoised", "StdShiftIntensityd"])
    expect(() => made({ _target_: target, factor: 1, prob: 1, dtype: "$torch.float16" }), target).toThrow(/computes in float16/);
});
