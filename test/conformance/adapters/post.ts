/** @file MONAI's post-processing transforms by their names, the functions behind them, and nnU-Net's component rule. */
import * as D from "../../../src/data/index.ts";
import type { HostArray } from "../../../src/host/array.ts";
import { removeAllButLargestComponentFromSegmentation } from "../../../src/seg/post/keep_largest.ts";
import { expectKnown, NotCovered, withKnownOptions, type Adapter, type Adapters, type Case, type Families } from "../format.ts";
import { camel } from "../../lib/names.ts";
import { eachKey, keyOptions } from "../each_key.ts";

type Options = Record<string, any>;

/** What tells about the case, and what upstream itself passes over. */
const ignored = new Set(["call", "config", "lazy", "unused", ...keyOptions.split(" ")]);

/** Options for which None is not the same as being left out. */
const nullable = new Set(["connectivity"]);

/** Lists in place of arrays of one axis, and numbers of none. */
function plain(value: any): any {
  if (!ArrayBuffer.isView(value?.data)) return value;
  return value.shape.length === 0 ? value.data[0] : value.shape.length === 1 ? Array.from(value.data as Float64Array) : value;
}

function optionsOf({ args }: Case): Options {
  const out: Options = {};
  for (const [key, value] of Object.entries({ ...args, ...args.config, ...args.call })) {
    if (ignored.has(key) || (value === null && !nullable.has(key))) continue;
    out[camel(key)] = key === "dtype" ? dtypeName(String(value)) : plain(value);
  }
  return out;
}

function dtypeName(dtype: string): string {
  const name = dtype.replace(/^torch\./, "");
  if (/float16|complex/.test(name)) throw new NotCovered(name);
  return name === "int64" || name === "long" ? "int32" : name === "bool" ? "uint8" : name === "float" ? "float32" : name;
}

/** The image with its voxel size, where the case has an affine; upstream's tensors of any rank carry one. */
function imageOf({ inputs }: Case): any {
  const img = inputs.img ?? Object.entries(inputs).find(([name]) => name !== "affine")?.[1];
  if (!inputs.affine || Array.isArray(img)) return img;
  const { data } = inputs.affine as HostArray;
  const affine = Array.from({ length: 4 }, (_, r) => Array.from(data.subarray(4 * r, 4 * r + 4)));
  return { ...img, affine, spacing: D.spacingOf(affine) };
}

/** An option that our class does not know is a failure, not a refusal that a case may have asked for. */
function make(op: string, name: string, options: Options): { apply(x: unknown): unknown } {
  const Class = (D as Record<string, unknown>)[name];
  if (typeof Class !== "function") throw new NotCovered(name);
  return withKnownOptions(op, () => new (Class as new (o: Options) => { apply(x: unknown): unknown })(options));
}

const transform: Adapter = (test) => {
  const name = test.op
    .split(".")
    .at(-1)!
    .replace(/(?:d|D|Dict)$/, "");
  return make(test.op, name, optionsOf(test)).apply(imageOf(test));
};

/** The class behind a function, whose image has no channel. */
function behind(name: string, known: string, options: (o: Options) => Options = (o) => o): Adapter {
  return (test) => {
    expectKnown(test.op, test.args, known.split(" "));
    return make(test.op, name, options(optionsOf(test))).apply(imageOf(test));
  };
}

const largestMask: Adapter = (test) => {
  const { connectivity = null, numComponents = 1 } = optionsOf(test);
  const img = imageOf(test) as HostArray;
  const mask = { data: Uint8Array.from(img.data, (v) => Number(v !== 0)), shape: [1, ...img.shape] };
  const { data } = new D.KeepLargestConnectedComponent({ appliedLabels: 1, connectivity, numComponents }).apply(mask);
  return { data, shape: img.shape };
};

const morphology =
  (run: typeof D.erode): Adapter =>
  (test) => {
    expectKnown(test.op, test.args, ["filter_size", "pad_value"]);
    const { filterSize, padValue } = optionsOf(test);
    return run(imageOf(test), filterSize, padValue);
  };

const uniqueLabels: Adapter = (test) => {
  const { args } = test;
  expectKnown(test.op, args, ["is_onehot", "discard"]);
  const dropped = [args.discard ?? []].flat();
  return D.getUniqueLabels(imageOf(test), args.is_onehot).filter((label) => !dropped.includes(label));
};

export const adapters: Adapters = {
  "nnunet.remove_all_but_largest_component_from_segmentation": (test) => {
    expectKnown(test.op, test.args, ["labels_or_regions", "background_label"]);
    const { labels_or_regions: labels, background_label: background } = test.args;
    return removeAllButLargestComponentFromSegmentation(test.inputs.segmentation, plain(labels), background);
  },
};

const named = (names: string): RegExp => new RegExp(`^monai\\.transforms\\.(?:\\w+\\.)*(?:${names})(?:d|D|Dict)?$`);

export const families: Families = [
  [
    named(
      "Activations|AsDiscrete|KeepLargestConnectedComponent|RemoveSmallObjects|FillHoles|LabelFilter|LabelToContour|" +
        "DistanceTransformEDT|MeanEnsemble|VoteEnsemble|ProbNMS|SobelGradients",
    ),
    eachKey(transform),
  ],
  [named("erode"), morphology(D.erode)],
  [named("dilate"), morphology(D.dilate)],
  [named("get_largest_connected_component_mask"), largestMask],
  [named("get_unique_labels"), uniqueLabels],
  [named("fill_holes"), behind("FillHoles", "applied_labels connectivity")],
  [named("remove_small_objects"), behind("RemoveSmallObjects", "min_size connectivity independent_channels by_measure pixdim")],
  [named("distance_transform_edt"), behind("DistanceTransformEDT", "sampling return_distances return_indices", distancesOnly)],
];

function distancesOnly({ returnDistances = true, returnIndices = false, ...rest }: Options): Options {
  if (!returnDistances || returnIndices) throw new NotCovered("positions of the nearest zeros");
  return rest;
}
