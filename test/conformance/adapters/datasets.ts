/** @file MONAI's datasets, patches and partitions. */
import * as transforms from "../../../src/data/transforms/index.ts";
import { CacheDataset, SmartCacheDataset } from "../../../src/data/datasets/cache_dataset.ts";
import { firstRandom, itemRandom, type ItemTransform } from "../../../src/data/datasets/dataset.ts";
import { type GridPadMode, GridPatchDataset, PatchIter, PatchIterd } from "../../../src/data/datasets/grid_patch_dataset.ts";
import { iterPatchPosition, validPatchSize } from "../../../src/data/datasets/patch_position.ts";
import {
  partitionDataset,
  partitionDatasetClasses,
  resampleDatalist,
  selectCrossValidationFolds,
} from "../../../src/data/datasets/partition.ts";
import { ShuffleBuffer } from "../../../src/data/datasets/shuffle_buffer.ts";
import { camel } from "../../lib/names.ts";
import type { HostArray } from "../../../src/host/array.ts";
import { type Adapters, type Case, expectKnown, rangeOf } from "../format.ts";

type Args = Record<string, any>;

/** Arguments and inputs of a case under our names, without those that change nothing here; tensors of one axis as lists. */
function options(test: Case, known: string): Args {
  const merged = { ...test.inputs, ...test.args };
  expectKnown(test.op, merged, [...known.split(" "), ...IGNORED]);
  return Object.fromEntries(
    Object.entries(merged)
      .filter(([key, value]) => value !== null && !IGNORED.includes(key))
      .map(([key, value]) => [camel(key), key === "array" || key === "arr" ? value : plain(value)]),
  );
}

const IGNORED = [
  "copy_cache",
  "num_workers",
  "num_init_workers",
  "num_replace_workers",
  "progress",
  "as_contiguous",
  "copy_back",
];

function plain(value: any): any {
  return ArrayBuffer.isView(value?.data) && value.shape.length === 1 ? Array.from(value.data as Float64Array) : value;
}

async function all<T>(from: AsyncIterable<T>): Promise<T[]> {
  const out: T[] = [];
  for await (const x of from) out.push(x);
  return out;
}

const partitionNames = "data ratios num_partitions shuffle seed drop_last even_divisible";

function partition(test: Case): unknown {
  const { data, ...rest } = options(test, partitionNames);
  return partitionDataset(data, rest);
}

/** Transforms by name: nothing is applied, so that only what a class is counts; of one that is not here its name says it. */
function transformNamed(name: string): ItemTransform {
  if (/lambda|function|callable/i.test(name) && !/^(?:Rand)?Lambdad?$/.test(name)) return (x) => x;
  const Class = (transforms as Args)[name.replace(/d$/, "")] ?? (transforms as Args)[name];
  const stand = name.startsWith("Rand") ? transforms.RandFlip : transforms.Flip;
  return Object.create((Class ?? stand).prototype);
}

/** Of a grid of patches null says "no padding", and options() leaves it out. */
const gridMode = ({ args }: Case): { mode?: GridPadMode } => ("mode" in args ? { mode: (args.mode || null) as GridPadMode } : {});

function patchIter(test: Case): unknown {
  const { array, arr, mode: _, ...o } = options(test, "array arr patch_size start_pos mode constant_values");
  const patches = new PatchIter({ ...o, ...gridMode(test) } as any).patches(array ?? arr);
  return [...patches].map(({ patch, coords }) => ({ patch, coords: pairs(coords.data) }));
}

/** Patches of an array whose axes are all alike: that of the channels is one of them. */
function iterPatch(test: Case): unknown {
  const { arr, mode: _, patchSize = 0, ...o } = options(test, "arr patch_size start_pos overlap mode constant_values");
  const { data, shape } = arr as HostArray;
  const sized = { ...o, ...gridMode(test), patchSize: [patchSize].flat(), startPos: [0, ...(o.startPos ?? [])] };
  return Array.from(new PatchIter(sized as any).patches({ data, shape: [1, ...shape] }), ({ patch, coords }) => {
    const own = { data: patch.data, shape: patch.shape.slice(1) };
    const at = { data: coords.data.subarray(2), shape: [shape.length, 2] };
    return Array.isArray(test.expected[0]) ? [own, at] : { patch: own, coords: pairs(at.data) };
  });
}

const pairs = (flat: Int32Array): number[][] => Array.from({ length: flat.length / 2 }, (_, i) => [flat[2 * i], flat[2 * i + 1]]);

async function shuffleBuffer(test: Case): Promise<unknown> {
  const { data, ...o } = options(test, "data buffer_size seed epochs");
  const buffer = new ShuffleBuffer(data, o);
  const epochs = Object.keys(test.expected).filter((key) => /^epoch\d+$/.test(key));
  if (epochs.length === 0) return all(buffer);
  const out: Args = {};
  for (const key of epochs) out[key] = await all(buffer);
  return out;
}

async function smartCache(test: Case): Promise<unknown> {
  const { data, nItems, dataLen, ...o } = options(test, "data n_items data_len cache_num cache_rate replace_rate shuffle seed");
  const items = data ?? Array.from({ length: nItems ?? dataLen }, (_, i) => i);
  const cache = new SmartCacheDataset(items, [], o);
  const epochs = [];
  for (let e = 0; e < (test.expected.epochs?.length ?? 1); e++) {
    const seen = [];
    for (let i = 0; i < cache.length; i++) seen.push(await cache.get(i, itemRandom(0, e, i), e));
    epochs.push(seen);
  }
  return { epochs, len: cache.length };
}

export const adapters: Adapters = {
  "monai.CacheDataset.cache_num": (test) => {
    const { dataLen, data, ...o } = options(test, "data_len data cache_num cache_rate");
    return new CacheDataset(data ?? Array.from({ length: dataLen }, (_, i) => i), [], o).cached;
  },
  "monai.CacheDataset.first_random_index": ({ op, args }) => {
    expectKnown(op, args, ["transforms"]);
    const list = (args.transforms as string[]).map(transformNamed);
    const first = firstRandom(list);
    return first === list.length ? null : first;
  },
  "monai.GridPatchDataset": async (test) => {
    const { data, withCoordinates, mode: _, ...o } = options(test, "data patch_size start_pos mode with_coordinates");
    const dataset = new GridPatchDataset(
      data.map((image: unknown) => ({ image })),
      { patchIter: new PatchIterd({ keys: ["image"], ...o, ...gridMode(test) } as any), withCoordinates },
    );
    const items = [];
    for (let i = 0; i < dataset.length; i++) items.push(...(await dataset.get(i, itemRandom(0, 0, i))));
    return items.map(({ image, patchCoords }) => (withCoordinates === false ? image : { patch: image, coords: patchCoords }));
  },
  "monai.PatchIter": patchIter,
  "monai.iter_patch": iterPatch,
  "monai.ShuffleBuffer": shuffleBuffer,
  "monai.SmartCacheDataset": smartCache,
  "monai.get_valid_patch_size": (test) => {
    const { imageSize, patchSize } = options(test, "image_size patch_size");
    return validPatchSize(imageSize, patchSize ?? 0);
  },
  "monai.iter_patch_position": (test) => {
    const { imageSize, patchSize, ...o } = options(test, "image_size patch_size start_pos overlap padded");
    return iterPatchPosition(imageSize, patchSize ?? 0, o);
  },
  "monai.iter_patch_slices": (test) => {
    const { imageSize, patchSize, padded = true, ...o } = options(test, "image_size patch_size start_pos overlap padded");
    const size = validPatchSize(imageSize, patchSize ?? 0);
    return iterPatchPosition(imageSize, size, { ...o, padded }).map((at) => at.map((s, a) => rangeOf(test, s, s + size[a])));
  },
  "monai.partition_dataset": partition,
  "monai.partition_dataset_classes": (test) => {
    const { data, classes, ...o } = options(test, `${partitionNames} classes`);
    return partitionDatasetClasses(data, classes, o);
  },
  "monai.create_cross_validation_datalist": (test) => {
    const o = options(test, "datalist nfolds train_folds val_folds train_key val_key shuffle seed");
    const { datalist, nfolds: numPartitions, trainKey = "training", valKey = "validation", shuffle = true, seed = 0 } = o;
    const partitions = partitionDataset(datalist, { numPartitions, shuffle, seed });
    return {
      [trainKey]: selectCrossValidationFolds(partitions, o.trainFolds),
      [valKey]: selectCrossValidationFolds(partitions, o.valFolds),
    };
  },
  "monai.resample_datalist": (test) => {
    const { data, factor, ...o } = options(test, "data factor random_pick seed");
    return resampleDatalist(data, factor, o);
  },
  "monai.select_cross_validation_folds": (test) => {
    const { partitions, folds } = options(test, "partitions folds");
    return selectCrossValidationFolds(partitions, folds);
  },
};
