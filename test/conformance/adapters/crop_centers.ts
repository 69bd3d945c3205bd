/** @file MONAI's functions that draw the centers of crops, and its matrices and grids, as the transforms here have them inside. */
import * as D from "../../../src/data/transforms/index.ts";
import { affineOf, type AffineParams } from "../../../src/data/transforms/spatial/affine_matrix.ts";
import { createControlGrid, createGrid } from "../../../src/data/transforms/spatial/grids.ts";
import type { HostArray } from "../../../src/host/array.ts";
import { RandomState } from "../../../src/host/random/numpy.ts";
import { plain } from "./data.ts";
import { type Adapter, type Adapters, type Case, expectKnown, type Families } from "../format.ts";

type Args = Record<string, any>;

function argumentsOf(test: Case, known: string): Args {
  const all = { ...test.inputs, ...test.args };
  expectKnown(test.op, all, known.split(" "));
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== null));
}

const shaped = (shape: number[]): HostArray => ({ data: new Uint8Array(shape.reduce((a, b) => a * b, 1)), shape: [1, ...shape] });

/** Upstream's tests seed numpy's own generator with 0 before each call. */
const random = ({ seed = 0, rand_state: state }: Args): RandomState => new RandomState(typeof state === "number" ? state : seed);

const size = "spatial_size num_samples label_spatial_shape allow_smaller rand_state seed";

function posNegCenters(test: Case): unknown {
  const a = argumentsOf(test, `${size} pos_ratio fg_indices bg_indices`);
  const t = new D.RandCropByPosNegLabel({
    spatialSize: plain(a.spatial_size),
    numSamples: a.num_samples,
    pos: a.pos_ratio,
    neg: 1 - a.pos_ratio,
    fgIndices: plain(a.fg_indices),
    bgIndices: plain(a.bg_indices),
    allowSmaller: a.allow_smaller ?? false,
  });
  t.setRandomState(random(a));
  t.randomize(shaped(plain(a.label_spatial_shape)));
  return t.centers;
}

/** Flat indices per class, as lists or as the rows of an array. */
function lists(indices: HostArray | (number[] | HostArray)[]): number[][] {
  if (Array.isArray(indices)) return indices.map(plain);
  const [rows, columns] = indices.shape;
  return Array.from({ length: rows }, (_, r) =>
    Array.from(indices.data.subarray(r * columns, (r + 1) * columns) as Float64Array),
  );
}

function centersOf(a: Args, indices: readonly ArrayLike<number>[]): number[][] {
  const t = new D.RandCropByLabelClasses({
    spatialSize: plain(a.spatial_size),
    numSamples: a.num_samples,
    indices,
    ...(a.ratios && { ratios: plain(a.ratios) }),
    allowSmaller: a.allow_smaller ?? false,
  });
  t.setRandomState(random(a));
  t.randomize(shaped(plain(a.label_spatial_shape)));
  return t.centers;
}

function classCenters(test: Case): unknown {
  const a = argumentsOf(test, `${size} ratios indices warn`);
  return centersOf(a, lists(a.indices));
}

function samplingCenters(test: Case): unknown {
  const a = argumentsOf(test, `${size} label num_classes image image_threshold max_samples_per_class ratios`);
  const found = D.mapClassesToIndices(a.label, a.num_classes, a.image, a.image_threshold, a.max_samples_per_class);
  return centersOf(a, found);
}

/** One of the matrices that an affine transform is made of. */
const matrix =
  (option: string, name: keyof AffineParams): Adapter =>
  (test) => {
    const a = argumentsOf(test, `spatial_dims ${option} device backend`);
    const rows = affineOf(test.op, a.spatial_dims, { [name]: plain(a[option]) });
    return { data: Float64Array.from(rows.flat()), shape: [rows.length, rows.length] };
  };

/** Places alone where the case leaves out the row of ones. */
function grid(test: Case, places: HostArray): HostArray {
  const homogeneous = test.args.homogeneous ?? true;
  if (homogeneous) return places;
  const [rows, ...rest] = places.shape;
  return { data: places.data.subarray(0, (places.data.length / rows) * (rows - 1)), shape: [rows - 1, ...rest] };
}

/** As those of AddExtremePointsChannel, whose label has a channel. */
function extremePoints(test: Case): number[][] {
  const a = argumentsOf(test, "img rand_state seed background pert");
  const t = new D.AddExtremePointsChannel({ background: a.background ?? 0, pert: a.pert ?? 0 });
  t.setRandomState(random(a));
  t.randomize({ ...a.img, shape: [1, ...a.img.shape] });
  return t.points;
}

const functions: Readonly<Record<string, Adapter>> = {
  get_extreme_points: extremePoints,
  generate_pos_neg_label_crop_centers: posNegCenters,
  generate_label_classes_crop_centers: classCenters,
  map_and_generate_sampling_centers: samplingCenters,
  create_rotate: matrix("radians", "rotateParams"),
  create_shear: matrix("coefs", "shearParams"),
  create_scale: matrix("scaling_factor", "scaleParams"),
  create_translate: matrix("shift", "translateParams"),
  create_grid: (test) => {
    const a = argumentsOf(test, "spatial_size spacing homogeneous dtype device backend");
    return grid(test, createGrid(plain(a.spatial_size), plain(a.spacing) ?? undefined));
  },
  create_control_grid: (test) => {
    const a = argumentsOf(test, "spatial_shape spacing homogeneous dtype device backend");
    return grid(test, createControlGrid(plain(a.spatial_shape), plain(a.spacing)));
  },
};

export const adapters: Adapters = {};
export const families: Families = [
  [
    new RegExp(`^monai\\.transforms\\.(?:utils\\.)?(?:${Object.keys(functions).join("|")})$`),
    (test, context) => functions[test.op.split(".").at(-1)!](test, context),
  ],
];
