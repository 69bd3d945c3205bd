/** @file Functions of monai.data and monai.transforms.utils that transforms here have inside. */
import { columnLengths, shapeAndOffset, zoomedAffine } from "../../../src/data/transforms/spatial/grid_of.ts";
import { weightedPatchSamples } from "../../../src/data/transforms/crop/weighted_crop.ts";
import { affineOfRank } from "../../../src/data/transforms/spatial/affine_matrix.ts";
import * as D from "../../../src/data/transforms/index.ts";
import type { HostArray } from "../../../src/host/array.ts";
import { quantiles } from "../../../src/host/stats.ts";
import { RandomState } from "../../../src/host/random/numpy.ts";
import { plain } from "./data.ts";
import { type Adapter, type Adapters, type Case, expectKnown, NotCovered, rangeOf } from "../format.ts";

type Args = Record<string, any>;

function argumentsOf(test: Case, known: string): Args {
  const all = { ...test.inputs, ...test.args };
  expectKnown(test.op, all, known.split(" "));
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== null));
}

const matrixOf = (m: HostArray | number[][]): number[][] => {
  if (Array.isArray(m)) return m;
  const { data, shape } = m;
  return Array.from({ length: shape[0] }, (_, r) => Array.from(data.subarray(r * shape[1], (r + 1) * shape[1]) as Float64Array));
};

const asArray = (rows: readonly (readonly number[])[]): HostArray => ({
  data: Float64Array.from(rows.flat()),
  shape: [rows.length, rows[0].length],
});

/** Widths per axis, that of the channels first. */
const pad: Adapter = (test) => {
  const { img, to_pad, mode, value, constant_values, lazy } = argumentsOf(
    test,
    "img to_pad mode value constant_values lazy transform_info",
  );
  if (lazy) throw new NotCovered("padding that is put off");
  const fill = { mode, value, constantValues: plain(constant_values) };
  return new D.Pad({
    toPad: plain(to_pad),
    ...Object.fromEntries(Object.entries(fill).filter(([, v]) => v !== undefined)),
  }).apply(img);
};

export const adapters: Adapters = {
  "monai.transforms.croppad.functional.pad_nd": pad,
  "monai.transforms.croppad.functional.pad_func": pad,
  "monai.transforms.utils_pytorch_numpy_unification.percentile": (test) => {
    const a = argumentsOf(test, "x q dim keepdim");
    if (a.dim !== undefined) throw new NotCovered("percentiles along an axis");
    const q = plain(a.q);
    const list = [q].flat() as number[];
    // What percentiles may be, the transforms by them say.
    void new D.ScaleIntensityRangePercentiles({ lower: Math.min(...list), upper: Math.max(...list), bMin: 0, bMax: 1 });
    const found = quantiles(
      a.x.data,
      list.map((v) => v / 100),
    );
    return typeof q === "number" ? found[0] : found;
  },
  "monai.to_affine_nd": (test) => {
    const a = argumentsOf(test, "r affine dtype");
    const rank = typeof a.r === "number" ? a.r : matrixOf(a.r).length - 1;
    return asArray(affineOfRank(rank, matrixOf(a.affine)));
  },
  "monai.get_random_patch": (test) => {
    const a = argumentsOf(test, "dims patch_size rand_state seed");
    const random = new RandomState(a.rand_state ?? a.seed);
    const size = plain(a.patch_size) as number[];
    const starts = (plain(a.dims) as number[]).map((n, i) => (n > size[i] ? random.randint(0, n - size[i] + 1) : 0));
    return starts.map((s, i) => rangeOf({ ...test, expected: [test.expected] }, s, s + size[i]));
  },
  "monai.affine_to_spacing": (test) => {
    const a = argumentsOf(test, "affine r dtype suppress_zeros");
    const lengths = columnLengths(affineOfRank(a.r ?? 3, matrixOf(a.affine)));
    return Float64Array.from(lengths, (v) => ((a.suppress_zeros ?? true) && v === 0 ? 1 : v));
  },
  "monai.compute_shape_offset": (test) => {
    const a = argumentsOf(test, "spatial_shape in_affine out_affine scale_extent");
    const size = plain(a.spatial_shape) as number[];
    const { shape, offset } = shapeAndOffset(
      test.op,
      size,
      matrixOf(a.in_affine),
      matrixOf(a.out_affine),
      a.scale_extent ?? false,
    );
    return Array.isArray(test.expected) ? [shape, offset] : { shape, offset };
  },
  "monai.zoom_affine": (test) => {
    const a = argumentsOf(test, "affine scale diagonal");
    return asArray(zoomedAffine(test.op, matrixOf(a.affine), plain(a.scale), a.diagonal ?? true));
  },
  "monai.transforms.utils.rescale_instance_array": (test) => {
    const a = argumentsOf(test, "arr minv maxv dtype");
    const { minv = 0, maxv = 1 } = a;
    return new D.ScaleIntensity({ minv, maxv, channelWise: true }).apply(a.arr);
  },
  "monai.transforms.utils.weighted_patch_samples": (test) => {
    const a = argumentsOf(test, "spatial_size w n_samples r_state seed");
    const map: HostArray = a.w;
    const random = new RandomState(typeof a.r_state === "number" ? a.r_state : (a.seed ?? 0));
    return weightedPatchSamples({ data: map.data, shape: [1, ...map.shape] }, plain(a.spatial_size), a.n_samples ?? 1, random);
  },
};
