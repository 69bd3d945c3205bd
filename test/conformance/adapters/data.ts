/** @file Conformance adapters of src/data: random sources, synthetic images, transforms. */
import * as D from "../../../src/data/transforms/index.ts";
import { RandomState, type RandomSource } from "../../../src/host/random/numpy.ts";
import { ReplaySource, type Draw } from "../../lib/replay.ts";
import { createTestImage2d, createTestImage3d, type TestImageOptions } from "../../../src/data/synthetic.ts";
import { rescale } from "../../../src/data/transforms/intensity/arithmetic.ts";
import type { HostArray } from "../../../src/host/array.ts";
import { difference, expectKnown, NotCovered, type Adapters, type Case } from "../format.ts";
import { optionNames } from "../transform_options.ts";
import { camel } from "../../lib/names.ts";

type Args = Record<string, any>;

/** Upstream options that change nothing here. */
const IGNORED = new Set(["lazy", "call", "seed", "draws", "config", "image"]);

/** Upstream option names to voxgrad's: snake_case to camelCase, tensors to lists, None to undefined, dtype names that exist. */
function options(test: Case, nullable: readonly string[] = []): Args {
  const merged: Args = { ...test.args, ...test.args.config, ...test.args.call };
  expectKnown(test.op, merged, [...IGNORED, ...optionNames(test.op)]);
  const out: Args = {};
  for (const [key, value] of Object.entries(merged)) {
    if (IGNORED.has(key) || (value === null && !nullable.includes(key))) continue;
    const name = camel(key);
    out[name] = key === "dtype" ? dtypeName(value) : plain(value);
  }
  return out;
}

function dtypeName(dtype: string | null): string | null {
  if (dtype !== null && /float16|complex/.test(dtype)) throw new NotCovered(dtype);
  return dtype === "int64" ? "int32" : dtype === "bool" ? "uint8" : dtype;
}

/** Lists in place of small tensors. */
function plain(value: any): any {
  if (Array.isArray(value)) return value.map(plain);
  if (ArrayBuffer.isView(value?.data)) return value.shape.length === 0 ? value.data[0] : Array.from(value.data as Float64Array);
  return value;
}

function transform(make: (o: any) => D.Transform, nullable: readonly string[] = []): Adapters[string] {
  return (test) => make(options(test, nullable)).apply(test.inputs.img);
}

/**
 * Runs with numpy's generator from the seed, and again with the recorded draws replayed: both must give the same, and the replay
 * must use the whole log.
 */
function random(test: Case, run: (source: RandomSource) => unknown): unknown {
  const seeded = run(new RandomState(test.args.seed));
  const draws = (test.args.draws as Draw[]).map(([m, a, r]) => [m, plain(a), plain(r)] as const);
  if (draws.some(([, , result]) => typeof result === "string")) return seeded; // logged without its values
  const replay = new ReplaySource(draws);
  const why = difference(run(replay), seeded, { exact: true });
  if (why || replay.remaining > 0)
    throw new Error(`replay differs from the seeded run: ${why ?? `${replay.remaining} draws left`}`);
  return seeded;
}

function randomTransform(make: (o: any) => D.Transform & D.Randomizable): Adapters[string] {
  return (test) =>
    random(test, (source) => {
      const t = make(options(test));
      t.setRandomState(source);
      return t.apply(test.inputs.img);
    });
}

function labelCrop(make: (o: any) => D.RandCropByPosNegLabel | D.RandCropByLabelClasses): Adapters[string] {
  return (test) =>
    random(test, (source) => {
      const { img, label } = test.inputs;
      const t = make(options(test));
      t.setRandomState(source);
      t.randomize(label, test.args.image ? (test.inputs[test.args.image] ?? img) : undefined);
      return { samples: t.applyDrawn(img), centers: t.centers };
    });
}

const indexArray = (list: Uint32Array): HostArray => ({ data: Int32Array.from(list), shape: [list.length] });

function ensureChannelFirst(test: Case): unknown {
  const { channelDim = test.inputs.original_channel_dim ?? undefined, ...rest } = options(test);
  return new D.EnsureChannelFirst({ channelDim: Number.isNaN(channelDim) ? "no_channel" : channelDim, ...rest }).apply(
    test.inputs.img,
  );
}

function spatialCrop(test: Case): unknown {
  const { roiSlices, ...o } = options(test);
  if (roiSlices) return new D.SpatialCrop({ roiSlices: roiSlices.map((s: Args) => [s.start, s.stop]) }).apply(test.inputs.img);
  return new D.SpatialCrop(o as D.SpatialCropOptions).apply(test.inputs.img);
}

function testImage(test: Case): unknown {
  const { size, randomStateSeed, ...rest } = options(test);
  const o = { ...rest, randomState: new RandomState(randomStateSeed) } as TestImageOptions;
  const [h, w, d] = size as number[];
  const { image, label } = d === undefined ? createTestImage2d(h, w, o) : createTestImage3d(h, w, d, o);
  return { image, labels: label };
}

function numpySequence({ args }: Case): unknown {
  const r = new RandomState(args.seed);
  const times = <T>(n: number, f: () => T): T[] => Array.from({ length: n }, f);
  const order = [
    "rand(4)",
    "6x randint(10)",
    "6x randint(5,17)",
    "uniform(-2,3,3)",
    "normal(0,1,5)",
    "randint(0,100,5)",
    "choice(4,5,p=[.1,.2,.3,.4])",
  ];
  order.push("shuffle(list(range(10)))", "permutation(7)", "choice(8,4,replace=False)", "random_sample()");
  if (JSON.stringify(args.order) !== JSON.stringify(order)) throw new NotCovered("another order of calls");
  return {
    rand: r.rand(4),
    randint_10: times(6, () => r.randint(10)),
    randint_5_17: times(6, () => r.randint(5, 17)),
    "uniform_-2_3": r.uniform(-2, 3, 3),
    normal: r.normal(0, 1, 5),
    randint_size: r.randint(0, 100, 5),
    choice_5_p: r.choice(4, 5, { p: [0.1, 0.2, 0.3, 0.4] }),
    shuffle_range10: shuffled(r),
    permutation_7: r.permutation(7),
    choice_8_4_noreplace: r.choice(8, 4, { replace: false }),
    random_after: r.rand(),
  };
}

function shuffled(r: RandomState): number[] {
  const list = Array.from({ length: 10 }, (_, i) => i);
  r.shuffle(list);
  return list;
}

export const adapters: Adapters = {
  "numpy.RandomState.sequence": numpySequence,
  "monai.create_test_image_2d": testImage,
  "monai.create_test_image_3d": testImage,

  "monai.transforms.AdjustContrast": transform((o) => new D.AdjustContrast(o)),
  "monai.transforms.AsChannelLast": transform((o) => new D.AsChannelLast(o)),
  "monai.transforms.BorderPad": transform((o) => new D.BorderPad(o)),
  "monai.transforms.CastToType": transform((o) => new D.CastToType(o)),
  "monai.transforms.CenterScaleCrop": transform((o) => new D.CenterScaleCrop(o)),
  "monai.transforms.CenterSpatialCrop": transform((o) => new D.CenterSpatialCrop(o)),
  "monai.transforms.ClipIntensityPercentiles": transform((o) => new D.ClipIntensityPercentiles(o), ["lower", "upper"]),
  "monai.transforms.CropForeground": transform((o) => new D.CropForeground(o)),
  "monai.transforms.DivisiblePad": transform((o) => new D.DivisiblePad(o)),
  "monai.transforms.EnsureChannelFirst": ensureChannelFirst,
  "monai.transforms.Flip": transform((o) => new D.Flip(o)),
  "monai.transforms.GaussianSmooth": (test) => {
    if ((test.args.approx ?? "erf") !== "erf") throw new NotCovered("approx");
    return transform((o) => new D.GaussianSmooth(o))(test, { dir: "" });
  },
  "monai.transforms.NormalizeIntensity": transform((o) => new D.NormalizeIntensity(o), ["dtype"]),
  "monai.transforms.Resize": transform(({ dtype: _always32, ...o }) => new D.Resize(o)),
  "monai.transforms.ResizeWithPadOrCrop": transform((o) => new D.ResizeWithPadOrCrop(o)),
  "monai.transforms.Rotate90": transform((o) => new D.Rotate90(o)),
  "monai.transforms.ScaleIntensity": transform((o) => new D.ScaleIntensity(o), ["minv", "maxv", "dtype"]),
  "monai.transforms.ScaleIntensityRange": transform((o) => new D.ScaleIntensityRange(o), ["dtype"]),
  "monai.transforms.ScaleIntensityRangePercentiles": transform(
    (o) => new D.ScaleIntensityRangePercentiles(o),
    ["b_min", "b_max", "dtype"],
  ),
  "monai.transforms.ShiftIntensity": transform((o) => new D.ShiftIntensity(o)),
  "monai.transforms.SpatialCrop": spatialCrop,
  "monai.transforms.SpatialPad": transform((o) => new D.SpatialPad(o)),
  "monai.transforms.SplitDim": transform((o) => new D.SplitDim(o)),
  "monai.transforms.SqueezeDim": transform((o) => new D.SqueezeDim(o), ["dim"]),
  "monai.transforms.ThresholdIntensity": transform((o) => new D.ThresholdIntensity(o)),
  "monai.transforms.Transpose": transform((o) => new D.Transpose(o)),

  "monai.transforms.RandAdjustContrast": randomTransform((o) => new D.RandAdjustContrast(o)),
  "monai.transforms.RandAxisFlip": randomTransform((o) => new D.RandAxisFlip(o)),
  "monai.transforms.RandFlip": randomTransform((o) => new D.RandFlip(o)),
  "monai.transforms.RandGaussianNoise": randomTransform((o) => new D.RandGaussianNoise(o)),
  "monai.transforms.RandRotate90": randomTransform((o) => new D.RandRotate90(o)),
  "monai.transforms.RandScaleIntensity": randomTransform((o) => new D.RandScaleIntensity(o)),
  "monai.transforms.RandShiftIntensity": randomTransform((o) => new D.RandShiftIntensity(o)),
  "monai.transforms.RandSpatialCrop": randomTransform((o) => new D.RandSpatialCrop(o)),
  "monai.transforms.RandSpatialCropSamples": randomTransform((o) => new D.RandSpatialCropSamples(o)),
  "monai.transforms.RandCropByLabelClasses": labelCrop((o) => new D.RandCropByLabelClasses(o)),
  "monai.transforms.RandCropByPosNegLabel": labelCrop((o) => new D.RandCropByPosNegLabel(o)),

  "monai.transforms.utils.correct_crop_centers": ({ args: a }) =>
    D.correctCropCenters(a.centers, plain(a.spatial_size), plain(a.label_spatial_shape), a.allow_smaller),
  "monai.transforms.utils.generate_spatial_bounding_box": (test) => {
    const { start, end } = D.generateSpatialBoundingBox(test.inputs.img, options(test));
    return [start, end];
  },
  "monai.transforms.utils.map_binary_to_indices": ({ args, inputs }) => {
    const { fg, bg } = D.mapBinaryToIndices(inputs.label, inputs.image ?? undefined, args.image_threshold);
    return [indexArray(fg), indexArray(bg)];
  },
  "monai.transforms.utils.map_classes_to_indices": ({ args, inputs }) =>
    D.mapClassesToIndices(inputs.label, args.num_classes ?? undefined, inputs.image ?? undefined, args.image_threshold).map(
      indexArray,
    ),
  "monai.transforms.utils.rescale_array": ({ args, inputs }) => {
    const { minv = 0, maxv = 1 } = args;
    const data = new Float32Array(inputs.arr.data);
    rescale("rescale_array", data, minv, maxv);
    return { data, shape: inputs.arr.shape };
  },
};
