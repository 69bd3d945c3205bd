/** @file Functions of monai.data and monai.transforms.utils that transforms here have inside. */
import { columnLengths, shapeAndOffset, zoomedAffine } from "../../../src/data/transforms/spatial/grid_of.ts";
import { weightedPatchSamples } from "../../../src/data/transforms/crop/weighted_crop.ts";
import * as D from "../../../src/data/transforms/index.ts";
import type { HostArray } from "../../../src/host/array.ts";
import { RandomState } from "../../../src/host/random/numpy.ts";
import { plain } from "./data.ts";
import { type Adapters, type Case, expectKnown } from "../format.ts";

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

export const adapters: Adapters = {
  "monai.affine_to_spacing": (test) => {
    const a = argumentsOf(test, "affine r dtype suppress_zeros");
    const lengths = columnLengths(matrixOf(a.affine)).slice(0, a.r ?? 3);
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
