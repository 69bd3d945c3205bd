/** @file nnU-Net's preprocessing: resampling as itself computed it, cropping with holes filled, normalization, fingerprint, folds, places of classes. */

import { describe, expect, test } from "vitest";
import { turnVolume } from "../../../src/data/axis_codes.ts";
import { makeVolume, readImage, readNifti, writeImage, writeNifti } from "../../../src/data/index.ts";
import { cropToNonzero } from "../../../src/data/nnunet/crop.ts";
import { fingerprintOf } from "../../../src/data/nnunet/fingerprint.ts";
import { getNormalizationScheme, normalizeIntensities } from "../../../src/data/nnunet/normalize.ts";
import { padNdImage } from "../../../src/data/nnunet/pad.ts";
import { nnunetArray, preprocessCase, sampleForegroundLocations } from "../../../src/data/nnunet/preprocess.ts";
import { resampleDataOrSegToShape } from "../../../src/data/nnunet/resample.ts";
import { resampleByPlan, resampleLogitsByPlan } from "../../../src/data/nnunet/resample_by_plan.ts";
import { generateCrossvalSplit } from "../../../src/data/nnunet/splits.ts";
import { sortWeighted, weightedMoments, weightedQuantiles } from "../../../src/data/nnunet/weighted_values.ts";
import { ConfigError, DataError, ShapeError } from "../../../src/host/errors.ts";
import { RandomState } from "../../../src/host/random/numpy.ts";
import { quantiles } from "../../../src/host/stats.ts";
import { readFixture } from "../../lib/fixture.ts";

interface Stored {
  readonly shape: number[];
  readonly data: number[];
  readonly new: number[];
  readonly spacing: number[];
  readonly options: { is_seg: boolean; order: number; order_z: number; force_separate_z: boolean | null };
  readonly result: number[];
}

test("resampling equals nnU-Net's, in the plane and along thick slices, images and labels", () => {
  for (const stored of readFixture<Stored[]>("nnunet_resample.json")) {
    const { is_seg: isSeg, order, order_z: orderZ, force_separate_z: forceSeparateZ } = stored.options;
    const data = isSeg ? Int8Array.from(stored.data) : Float32Array.from(stored.data);
    const options = { isSeg, order, orderZ, forceSeparateZ };
    const out = resampleDataOrSegToShape({ data, shape: stored.shape }, stored.new, stored.spacing, [1, 1, 1], options);
    stored.result.forEach((v, i) => expect(Math.abs(out.data[i] - v), JSON.stringify(stored.options)).toBeLessThan(1e-5));
  }
});

test("the resampling by torch equals nnU-Net's", () => {
  interface StoredTorch extends Omit<Stored, "options"> {
    readonly options: Readonly<Record<string, unknown>>;
    readonly dtype: string;
  }
  for (const stored of readFixture<StoredTorch[]>("nnunet_resample_torch.json")) {
    const data = stored.options.is_seg ? Int8Array.from(stored.data) : Float32Array.from(stored.data);
    const x = { data, shape: stored.shape };
    const out = resampleByPlan(
      "resample_torch_fornnunet",
      { ...stored.options, num_threads: 4 },
      x,
      stored.new,
      stored.spacing,
      [1, 1, 1],
    );
    expect(out.shape).toEqual([stored.shape[0], ...stored.new]);
    expect(out.data.constructor.name.toLowerCase()).toBe(`${stored.dtype}array`);
    stored.result.forEach((v, i) => expect(Math.abs(out.data[i] - v), JSON.stringify(stored.options)).toBeLessThan(1e-5));
  }
  const x = { data: new Float32Array(8), shape: [1, 2, 2, 2] };
  expect(() => resampleByPlan("resample_torch_fornnunet", { order: 3 }, x, [2, 2, 3], [1, 1, 1], [1, 1, 1])).toThrow(
    /unknown option "order" of resample_torch_fornnunet; known are is_seg/,
  );
});

/** A 5×5×5 shell of ones with a hollow, off the corner of a 7×7×8 image; one voxel of the hollow is open to nothing. */
function shell() {
  const image = { data: new Float32Array(7 * 7 * 8), shape: [1, 7, 7, 8] };
  for (let x = 1; x < 6; x++)
    for (let y = 1; y < 6; y++)
      for (let z = 2; z < 7; z++) {
        const inner = [x, y].every((v) => v > 1 && v < 5) && z > 2 && z < 6;
        image.data[(x * 7 + y) * 8 + z] = inner ? 0 : 1;
      }
  return image;
}

describe("cropToNonzero", () => {
  test("the box of what is not zero; a hollow is inside, what a face leads out of is not", () => {
    const image = shell();
    const { data, seg, bbox } = cropToNonzero(image);
    expect(bbox).toEqual([
      [1, 6],
      [1, 6],
      [2, 7],
    ]);
    expect(data.shape).toEqual([1, 5, 5, 5]);
    expect(seg.data.every((v) => v === 0)).toBe(true);
    // A hole in the shell: the hollow is outside now.
    image.data[(1 * 7 + 3) * 8 + 4] = 0;
    expect(cropToNonzero(image).seg.data.filter((v) => v === -1)).toHaveLength(28);
  });
  test("labels keep foreground outside the mask, and unsigned ones become signed", () => {
    const seg = { data: new Uint8Array(7 * 7 * 8).fill(0), shape: [1, 7, 7, 8] };
    const image = shell();
    image.data[(1 * 7 + 3) * 8 + 4] = 0;
    seg.data[(3 * 7 + 3) * 8 + 4] = 2;
    const out = cropToNonzero(image, seg).seg;
    expect(out.data).toBeInstanceOf(Int16Array);
    expect([out.data[62], out.data.filter((v) => v === -1).length]).toEqual([2, 27]);
    expect(() => cropToNonzero(image, { data: new Uint8Array(1), shape: [1, 1, 1, 1] })).toThrow(ShapeError);
  });
  test("an image of zeros stays whole", () => {
    expect(cropToNonzero({ data: new Float32Array(8), shape: [1, 2, 2, 2] }).bbox).toEqual([
      [0, 2],
      [0, 2],
      [0, 2],
    ]);
  });
});

test("normalizations", () => {
  const image = { data: Float32Array.of(-10, 0, 10, 20), shape: [4] };
  const properties = { mean: 5, std: 2, percentile_00_5: -5, percentile_99_5: 15 };
  const run = (scheme: Parameters<typeof normalizeIntensities>[0], options = {}) => [
    ...normalizeIntensities(scheme, image, options).data,
  ];
  expect(run("CTNormalization", { intensityProperties: properties })).toEqual([-5, -2.5, 2.5, 5]);
  expect(run("RescaleTo01Normalization")).toEqual([0, 1 / 3, 2 / 3, 1].map(Math.fround));
  expect(run("NoNormalization")).toEqual([-10, 0, 10, 20]);
  const seg = { data: Int8Array.of(-1, 0, 1, -1), shape: [4] };
  expect(run("ZScoreNormalization", { useMaskForNorm: true, seg })).toEqual([-10, -1, 1, 20]);
  expect(() => run("RGBTo01Normalization")).toThrow(DataError);
  expect(() => run("CTNormalization")).toThrow(ConfigError);
  expect(() => run("ZScoreNormalization", { useMaskForNorm: true })).toThrow(ConfigError);
  expect(["cT", "T1", "rgb_to_0_1"].map(getNormalizationScheme)).toEqual([
    "CTNormalization",
    "ZScoreNormalization",
    "RGBTo01Normalization",
  ]);
});

test("values that come several times have the statistics of the list", () => {
  const random = new RandomState(3);
  const values = Float32Array.from(random.normal(0, 100, 500));
  const counts = Uint32Array.from(random.randint(0, 4, 500));
  const list = Float64Array.from([...values].flatMap((v, i) => Array<number>(counts[i]).fill(v)));
  const sorted = sortWeighted({ values, counts });
  expect([...sorted.values]).toEqual([...values].sort((a, b) => a - b));
  const fractions = [0, 0.005, 0.31, 0.5, 0.995, 1];
  weightedQuantiles(sorted, fractions).forEach((q, i) => expect(q).toBeCloseTo(quantiles(list, fractions)[i], 9));
  expect(weightedMoments(sorted).mean).toBeCloseTo(list.reduce((a, b) => a + b) / list.length, 9);
});

test("the fingerprint of two cases; a case is preprocessed by a plan", () => {
  const image = { ...shell(), data: shell().data.map((v, i) => v * (i + 1)) };
  const seg = { data: Uint8Array.from(image.data, (v) => (v > 100 ? 1 : 0)), shape: image.shape };
  const spacing = [3, 1, 1];
  const cases = [
    { image, seg, spacing },
    { image, seg, spacing },
  ];
  const print = fingerprintOf(cases, { sampledVoxels: 20_000 });
  expect(print.shapes_after_crop).toEqual([
    [5, 5, 5],
    [5, 5, 5],
  ]);
  expect(print.median_relative_size_after_cropping).toBe(125 / 392);
  const { min, max } = print.foreground_intensity_properties_per_channel["0"];
  expect([min, max]).toEqual([Math.min(...image.data.filter((v) => v > 100)), Math.max(...image.data)]);
  const nan = { data: new Float32Array(image.data.length).fill(NaN), shape: image.shape };
  expect(() => fingerprintOf([{ image: nan, seg, spacing }])).toThrow(DataError);

  const kwargs = { is_seg: false, order: 3, order_z: 0, force_separate_z: null };
  const plan = { transpose_forward: [1, 2, 0], foreground_intensity_properties_per_channel: {} };
  const configuration = {
    spacing: [1, 1, 1.5],
    normalization_schemes: ["ZScoreNormalization"],
    use_mask_for_norm: [false],
    resampling_fn_data: "resample_data_or_seg_to_shape",
    resampling_fn_data_kwargs: kwargs,
    resampling_fn_seg: "resample_data_or_seg_to_shape",
    resampling_fn_seg_kwargs: { ...kwargs, is_seg: true, order: 1 },
  };
  const out = preprocessCase({ image, seg, spacing }, plan, configuration);
  expect(out.data.shape).toEqual([1, 5, 5, 10]);
  expect(out.seg.data).toBeInstanceOf(Int8Array);
  expect(out.properties.shapeBeforeCropping).toEqual([7, 8, 7]);
  const unknown = { ...configuration, resampling_fn_data: "resample_somehow" };
  expect(() => preprocessCase({ image, seg, spacing }, plan, unknown)).toThrow(ConfigError);

  const [one, region] = sampleForegroundLocations(seg, [1, [1, 2]], { minNumSamples: 5 });
  expect([one.locations.length, region.locations.length]).toEqual([5, 5]);
  for (const [c, x, y, z] of one.locations) expect(seg.data[((c * 7 + x) * 7 + y) * 8 + z]).toBe(1);
});

test("padding around the middle; folds", () => {
  const x = { data: Float32Array.from({ length: 6 }, (_, i) => i), shape: [2, 3] };
  const { image, slicer } = padNdImage(x, { newShape: [4], shapeMustBeDivisibleBy: [3] });
  expect(image.shape).toEqual([2, 6]);
  expect(slicer).toEqual([
    [0, 2],
    [1, 4],
  ]);
  expect(() => padNdImage(x, {})).toThrow(ConfigError);
  const folds = generateCrossvalSplit(["a", "b", "c", "d", "e"], { nSplits: 5 });
  expect(folds.flatMap((f) => f.val).sort()).toEqual(["a", "b", "c", "d", "e"]);
  expect(() => generateCrossvalSplit(["a"])).toThrow(ConfigError);
});

test("resampled logits are half floats by numpy's functions, float32 by torch's", () => {
  const x = { data: Float32Array.from({ length: 27 }, (_, i) => Math.f16round(Math.sin(i) * 5)), shape: [1, 3, 3, 3] };
  const run = (fn: string, kwargs: object) => resampleLogitsByPlan(fn, { ...kwargs }, x, [4, 5, 4], [1, 1, 1], [1, 1, 1]).data;
  const spline = run("resample_data_or_seg_to_shape", { order: 1 });
  expect(spline).toEqual(spline.map((v) => Math.f16round(v)));
  expect(spline).not.toEqual(
    resampleByPlan("resample_data_or_seg_to_shape", { order: 1 }, x, [4, 5, 4], [1, 1, 1], [1, 1, 1]).data,
  );
  const torch = run("resample_torch_fornnunet", {});
  expect(torch).not.toEqual(torch.map((v) => Math.f16round(v)));
});

test("the voxel size is the one that the file states, where it still holds", async () => {
  const [c, s] = [Math.cos(0.3), Math.sin(0.3)];
  const affine = [
    [c * 1.5, -s * 1.5, 0, 0],
    [s * 1.5, c * 1.5, 0, 0],
    [0, 0, 4.5, 0],
    [0, 0, 0, 1],
  ];
  const volume = makeVolume({ data: new Float32Array(8), shape: [1, 2, 2, 2] }, affine);
  const oblique = await readNifti(await writeNifti(volume));
  expect(oblique.spacing).not.toEqual([1.5, 1.5, 4.5]);
  expect(nnunetArray(oblique).spacing).toEqual([4.5, 1.5, 1.5]);
  const other = makeVolume(
    oblique,
    [
      [2, 0, 0, 0],
      [0, 2, 0, 0],
      [0, 0, 2, 0],
      [0, 0, 0, 1],
    ],
    oblique.meta,
  );
  expect(nnunetArray(other).spacing).toEqual([2, 2, 2]);
  // Turned, the sizes go along.
  expect(nnunetArray(turnVolume(oblique, { axes: [2, 0, 1], flips: [false, true, false] })).spacing).toEqual([1.5, 1.5, 4.5]);
});

test("images of two axes have a third one of 999 times their longer voxel side, and slices of three axes do not", async () => {
  const affine = [
    [0.5, 0, 0, 0],
    [0, 0.75, 0, 0],
    [0, 0, 2, 0],
    [0, 0, 0, 1],
  ];
  const bytes = await writeNifti(makeVolume({ data: new Float32Array(6), shape: [1, 3, 2, 1] }, affine));
  expect(nnunetArray(await readNifti(bytes)).spacing).toEqual([2, 0.75, 0.5]);
  new DataView(bytes.buffer, bytes.byteOffset).setInt16(40, 2, true); // dim[0]
  expect(nnunetArray(await readNifti(bytes)).spacing).toEqual([999 * 0.75, 0.75, 0.5]);
  const picture = makeVolume({ data: new Uint8Array(6), shape: [1, 3, 2, 1] });
  const [{ bytes: png }] = await writeImage("a.png", picture);
  expect(nnunetArray(await readImage(png)).spacing).toEqual([999, 1, 1]);
  const text =
    "ObjectType = Image\nNDims = 2\nDimSize = 3 2\nElementSpacing = 0.5 0.25\nElementType = MET_UCHAR\nElementDataFile = LOCAL\n";
  const mha = await readImage(new Uint8Array([...new TextEncoder().encode(text), 0, 0, 0, 0, 0, 0]), { name: "a.mha" });
  expect(nnunetArray(mha).spacing).toEqual([499.5, 0.25, 0.5]);
  const nrrd = "NRRD0004\ntype: uchar\ndimension: 2\nsizes: 3 2\nspacings: 0.5 0.25\nencoding: raw\n\n";
  const read = await readImage(new Uint8Array([...new TextEncoder().encode(nrrd), 0, 0, 0, 0, 0, 0]), { name: "a.nrrd" });
  expect(nnunetArray(read).spacing).toEqual([499.5, 0.25, 0.5]);
  // One that is in memory alone is a picture if it has no voxel size.
  expect(nnunetArray(picture).spacing).toEqual([999, 1, 1]);
  expect(nnunetArray(makeVolume({ data: new Uint8Array(6), shape: [1, 3, 2, 1] }, affine)).spacing).toEqual([2, 0.75, 0.5]);
});
