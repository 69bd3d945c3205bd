/**
 * @file MONAI's transforms by rule: `monai.transforms.X`, and its dictionary form `Xd`, are the class X of voxgrad/data that lists its options. A case's
 * options are the class's in snake_case; one that the class does not have is a failure. Draws are replayed.
 */
import * as D from "../../../src/data/transforms/index.ts";
import type { HostArray } from "../../../src/host/array.ts";
import { aboutCenters, affineOfRank } from "../../../src/data/transforms/spatial/affine_matrix.ts";
import type { RandomSource } from "../../../src/host/random/numpy.ts";
import { optionRows } from "../../../src/host/options.ts";
import { camel } from "../../lib/names.ts";
import { eachKey, keyOptions } from "../each_key.ts";
import { type Draw, ReplaySource } from "../../lib/replay.ts";
import { replayable } from "./data.ts";
import { type Adapters, type Case, difference, type Families, NotCovered, UnknownOption } from "../format.ts";

type Args = Record<string, any>;
interface Listed {
  readonly options: string;
  new (options: any): any;
}

const classes = D as unknown as Readonly<Record<string, Partial<Listed>>>;

/** The class of an operation; a trailing d is MONAI's dictionary form. */
function classOf(op: string): { name: string; type: Listed } | undefined {
  const last = op.split(".").at(-1)!;
  for (const name of [last, last.replace(/(?:d|D|Dict)$/, "")]) {
    const type = Object.hasOwn(classes, name) ? classes[name] : undefined;
    if (type && "options" in type && typeof type.options === "string") return { name, type: type as Listed };
  }
  return undefined;
}

const takes = (type: Listed, name: string): boolean => optionRows(type.options).some((row) => row.name === name);

/** What tells how upstream runs, or what a case is about, and changes no number; `dtype`: results are float32, computed in float64. */
const told = new Set(
  `lazy call seed draws config device image_only randomize update_meta dtype grid_dtype ${keyOptions}`.split(" "),
);

const isArray = (v: any): v is HostArray => ArrayBuffer.isView(v?.data) && Array.isArray(v?.shape);

/** Lists in place of small tensors, nested as they are. */
function plain(value: any): any {
  if (Array.isArray(value)) return value.map(plain);
  if (isArray(value)) return nested(Array.from(value.data as Float64Array), value.shape);
  if (value && typeof value === "object" && "start" in value && "step" in value) return [value.start, value.stop, value.step];
  return value;
}

const nested = (flat: number[], shape: readonly number[]): any => {
  if (shape.length === 0) return flat[0];
  if (shape.length === 1) return flat;
  const step = flat.length / shape[0];
  return Array.from({ length: shape[0] }, (_, i) => nested(flat.slice(i * step, (i + 1) * step), shape.slice(1)));
};

/** Options whose value stays an array. */
const arrays = new Set(["label", "image", "weightMap", "imgDst"]);

function optionsOf({ op, args }: Case, type: Listed): Args {
  const out: Args = {};
  // A call's None leaves what the constructor was given.
  const given = Object.fromEntries(Object.entries((args.call ?? {}) as Args).filter(([, value]) => value !== null));
  const all: Args = { ...args, ...args.config, ...args.kwargs, ...given };
  for (const [key, value] of Object.entries(all)) {
    if (takes(type, camel(key))) {
      if (value !== null || nullable.has(`${op.split(".").at(-1)}.${key}`))
        out[camel(key)] = arrays.has(camel(key)) ? value : plain(spelled(key, value));
    } else if (!told.has(key) && value !== null) throw new UnknownOption(key, op);
  }
  return out;
}

/** MONAI also takes a spline order as its digit in a text, and types with the name of their library. */
const spelled = (key: string, value: any): any => {
  if (key === "dtype" && typeof value === "string") return value.replace(/^(?:torch|np|numpy)\./, "");
  if (key !== "mode") return value;
  if (Array.isArray(value)) return value.map((v) => spelled(key, v));
  return /^[0-5]$/.test(value) ? Number(value) : value;
};

/** Options for which None is another value than leaving them out. */
const nullable = new Set(["SqueezeDim.dim"]);

/** Inputs that tell more than the image; the rest, in order, are images. */
const extras: Readonly<Record<string, string>> = {
  dst_affine: "dstAffine",
  spatial_size: "spatialSize",
  output_spatial_shape: "outputSpatialShape",
  weight_map: "weightMap",
  label: "label",
  image: "image",
  fg_indices: "fgIndices",
  bg_indices: "bgIndices",
  indices: "indices",
  size: "size",
  to_pad: "toPad",
};

/** The image of a case, with its affine if it has one, and options that come as inputs. */
function inputsOf({ inputs }: Case, type: Listed): { x: HostArray; more: Args } {
  const more: Args = {};
  let x: HostArray | undefined;
  for (const [key, value] of Object.entries(inputs)) {
    if (key === "affine" || key === "img_dst_affine") continue;
    if (key === "img_dst") more.imgDst = withAffine(value, inputs.img_dst_affine);
    else if (x && key in extras && takes(type, extras[key])) {
      if (value !== null) more[extras[key]] = arrays.has(extras[key]) ? value : plain(value);
    } else if (!x && isArray(value)) x = value;
  }
  if (!x) throw new NotCovered("a case without an image");
  return { x: withAffine(x, inputs.affine), more };
}

/** An array with an affine; a whole volume where it has three spatial axes. */
function withAffine(x: HostArray, affine: HostArray | undefined): HostArray {
  if (!affine) return x;
  const matrix = plain(affine) as number[][];
  return { ...x, affine: matrix, spacing: [1, 1, 1], meta: {} } as HostArray;
}

/** MONAI's float-only label maps and the like are the same numbers; patches come stacked where the case has one array. */
function answer(result: unknown, expected: unknown): unknown {
  if (Array.isArray(result) && isArray(expected)) return stacked(result as HostArray[], expected.shape);
  return result;
}

/** Of no patches, only their number is left to compare. */
function stacked(list: readonly HostArray[], [, ...expected]: readonly number[]): HostArray {
  const first = list[0];
  const data = new Float64Array(list.length * (first?.data.length ?? 0));
  list.forEach((part, i) => data.set(part.data, i * part.data.length));
  return { data, shape: [list.length, ...(first?.shape ?? expected)] };
}

/** Transforms whose parts upstream seeds one by one: their draws are those of no single generator. */
const partwise = /^Rand(?:Affine|2DElastic|3DElastic)/;

function drawsOf(test: Case): readonly Draw[] | undefined {
  const log = test.args.draws as [string, any, any][] | undefined;
  return log
    ?.filter(([method]) => method !== "random_sample" || !log.some(([m]) => m === "random"))
    .map(([m, a, r]) => [m.startsWith("random") ? "rand" : m, flat(a), isArray(r) ? flat(r) : r] as const);
}

const flat = (value: any): any => (isArray(value) ? Array.from(value.data as Float64Array) : plain(value));

/** Runs with the log of draws replayed, and from the seed where one generator made them; both must agree and use the whole log. */
function withDraws(test: Case, name: string, run: (source: RandomSource | number) => unknown): unknown {
  const draws = drawsOf(test);
  const seeded = () => run(test.args.seed);
  if (!draws?.every(replayable)) {
    if (draws && test.args.seed === undefined) throw new NotCovered("draws without their values, and no seed");
    return seeded();
  }
  const source = new ReplaySource(draws);
  const replayed = run(source);
  if (source.remaining > 0) throw new Error(`${source.remaining} draws of the log were not asked for`);
  const why = test.args.seed !== undefined && !partwise.test(name) && difference(replayed, seeded(), { exact: true });
  if (why) throw new Error(`the replay differs from the seeded run: ${why}`);
  return replayed;
}

/** Label crops draw from a label map; the image and the map may be inputs or options. */
function drawn(t: any, x: HostArray, test: Case, options: Args): unknown {
  const named = typeof test.args.image === "string" ? (test.inputs[test.args.image] ?? x) : undefined;
  if (t instanceof D.RandCropByPosNegLabel || t instanceof D.RandCropByLabelClasses) t.randomize(options.label ?? x, named);
  else if (t instanceof D.RandWeightedCrop) t.randomize(options.weightMap);
  else return t.apply(x);
  const samples = t.applyDrawn(x);
  return test.expected && "samples" in test.expected ? { samples, centers: t.centers } : samples;
}

function transform(test: Case): unknown {
  const { name, type } = classOf(test.op)!;
  const own = special[name];
  if (own) return own(test, type);
  // Options that the constructor refuses need no image.
  if (Object.keys(test.inputs).length === 0) void new type(optionsOf(test, type));
  const { x, more } = inputsOf(test, type);
  const options = { ...optionsOf(test, type), ...more };
  if (typeof options.image === "string") delete options.image;
  const make = () => new type(options);
  const result = D.isRandomizable(make() as object)
    ? withDraws(test, name, (source) => {
        const t = make();
        t.setRandomState(source);
        return drawn(t, x, test, options);
      })
    : make().apply(x);
  return answer(result, test.expected);
}

/** Classes whose calls upstream are not those of an image, or give more than one. */
const special: Readonly<Record<string, (test: Case, type: Listed) => unknown>> = {
  Affine(test, type) {
    const options = optionsOf(test, type);
    const { x } = inputsOf(test, type);
    const t = new D.Affine(options);
    if (!Array.isArray(test.expected)) return t.apply(x);
    // Upstream gives the matrix between voxel indices, for as many axes as its affines have.
    const out = t.apply(x);
    const rank = (test.expected[1].shape[0] as number) - 1;
    return [out, matrixOf(affineOfRank(rank, aboutCenters(t.matrix(x.shape.length - 1), x.shape.slice(1), out.shape.slice(1))))];
  },
  AffineGrid(test, type) {
    const { grid, spatial_size: size } = { ...test.args.call, ...test.inputs };
    const t = new D.AffineGrid(optionsOf(withoutKeys(test, "grid", "spatial_size"), type));
    const of = grid ?? plain(size);
    if (!of) return new D.AffineGrid({ spatialSize: null } as object); // a refusal: neither is given
    const dims = (isArray(of) ? of.shape.length - 1 : of.length) as number;
    return Array.isArray(test.expected) ? [t.grid(of), matrixOf(t.matrix(dims))] : t.grid(of);
  },
  RandAffineGrid: (test, type) =>
    gridOf(test, type, () => new D.RandAffineGrid(optionsOf(withoutKeys(test, "grid", "spatial_size"), type))),
  RandDeformGrid: (test, type) =>
    gridOf(test, type, () => new D.RandDeformGrid(optionsOf(withoutKeys(test, "spatial_size"), type) as never)),
  Resample(test, type) {
    const { img, grid } = { ...test.args.call, ...test.inputs };
    return grid ? new D.Resample(optionsOf(withoutKeys(test, "grid"), type)).sample(img, grid) : img;
  },
  CropForeground(test, type) {
    const t = new D.CropForeground(optionsOf(withoutKeys(test, "return_coords"), type));
    const { x } = inputsOf(test, type);
    const { start, end } = t.box(x);
    const list = (v: number[]): HostArray => ({ data: Int32Array.from(v), shape: [v.length] });
    return Array.isArray(test.expected) ? [t.apply(x), list(start), list(end)] : t.apply(x);
  },
  CastToType(test) {
    const dtype = String(test.args.call?.dtype ?? test.args.dtype ?? "float32").replace(/^torch\./, "");
    if (/float16|complex/.test(dtype)) throw new NotCovered(dtype);
    const type = dtype === "int64" ? "int32" : dtype === "bool" ? "uint8" : dtype;
    return new D.CastToType({ dtype: type as D.DTypeName }).apply(inputsOf(test, classes.CastToType as Listed).x);
  },
  EnsureChannelFirst(test, type) {
    const options = optionsOf(withoutKeys(test, "meta_dict"), type);
    const original = test.inputs.original_channel_dim ?? undefined;
    const channelDim = options.channelDim ?? (Number.isNaN(original) ? "no_channel" : original);
    return new D.EnsureChannelFirst({ ...options, ...(channelDim !== undefined && { channelDim }) }).apply(
      inputsOf(test, type).x,
    );
  },
};

const withoutKeys = (test: Case, ...keys: string[]): Case => {
  const drop = (o: Args | undefined) => Object.fromEntries(Object.entries(o ?? {}).filter(([k]) => !keys.includes(k)));
  return { ...test, args: { ...drop(test.args), call: drop(test.args.call), config: drop(test.args.config) } };
};

const matrixOf = (m: number[][]): HostArray => ({ data: Float64Array.from(m.flat()), shape: [m.length, m.length] });

function gridOf(test: Case, _type: Listed, make: () => any): unknown {
  const { grid, spatial_size: size } = { ...test.args.call, ...test.inputs };
  return withDraws(test, "RandAffine", (source) =>
    make()
      .setRandomState(source)
      .grid(grid ?? plain(size)),
  );
}

const indexArray = (list: Uint32Array): HostArray => ({ data: Int32Array.from(list), shape: [list.length] });

/** Only what a class of ours lists options for; the rest is other adapters', or not covered. */
const listed = Object.keys(classes).filter((name) => classOf(name)?.name === name);

export const families: Families = [
  [new RegExp(`^monai\\.transforms\\.(?:${listed.join("|")})(?:d|D|Dict)?$`), eachKey(transform)],
];

const utils = "monai.transforms.utils.";

export const adapters: Adapters = {
  [`${utils}correct_crop_centers`]: ({ args, inputs }) => {
    const a: Args = { ...args, ...inputs };
    return D.correctCropCenters(plain(a.centers), plain(a.spatial_size), plain(a.label_spatial_shape), a.allow_smaller);
  },
  [`${utils}generate_spatial_bounding_box`]: ({ args: a, inputs }) => {
    const { start, end } = D.generateSpatialBoundingBox(inputs.img, {
      ...(a.select_fn && { selectFn: a.select_fn }),
      ...(a.channel_indices !== null && { channelIndices: plain(a.channel_indices) }),
      ...(a.margin !== undefined && { margin: plain(a.margin) }),
      ...(a.allow_smaller !== undefined && { allowSmaller: a.allow_smaller }),
    });
    return [start, end];
  },
  [`${utils}compute_divisible_spatial_size`]: ({ args: a, inputs }) =>
    D.computeDivisibleSpatialSize(plain(a.spatial_shape ?? inputs.spatial_shape), plain(a.k ?? inputs.k)),
  [`${utils}map_binary_to_indices`]: ({ args, inputs }) => {
    const { fg, bg } = D.mapBinaryToIndices(inputs.label, inputs.image ?? undefined, args.image_threshold);
    return [indexArray(fg), indexArray(bg)];
  },
  [`${utils}map_classes_to_indices`]: ({ args, inputs }) =>
    D.mapClassesToIndices(
      inputs.label,
      args.num_classes ?? undefined,
      inputs.image ?? undefined,
      args.image_threshold,
      args.max_samples_per_class ?? undefined,
    ).map(indexArray),
};
