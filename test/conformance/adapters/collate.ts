/** @file From items to batches and back, as MONAI's loaders do it. */
import { type Batch, decollate, listDataCollate, padListDataCollate } from "../../../src/data/datasets/collate.ts";
import type { HostArray } from "../../../src/host/array.ts";
import { camelKeys } from "../../lib/names.ts";
import { type Adapters, type Case, expectKnown } from "../format.ts";

type Args = Record<string, any>;
type Items = readonly (Args | readonly Args[])[];

const isArray = (v: any): v is HostArray => ArrayBuffer.isView(v?.data);

/** The items or the batch of a case, whatever it calls them, and the options. */
function split({ op, args, inputs }: Case, known: string): { data: any; options: Args } {
  const all = { ...inputs, ...args };
  const name = ["batch", "data", "items"].find((n) => n in all) ?? Object.keys(inputs)[0];
  const { [name]: data, ...options } = all;
  expectKnown(op, options, known.split(" "));
  return { data, options: camelKeys(options) };
}

/** Upstream also takes bare arrays; here they get a name and lose it again. */
function collated(items: Items, collate: (items: Items) => Batch): unknown {
  const first = [items[0]].flat()[0];
  if (!isArray(first)) return collate(items);
  return collate(items.flat().map((image) => ({ image }))).image;
}

export const adapters: Adapters = {
  "monai.list_data_collate": (test) => collated(split(test, "").data, listDataCollate as (items: Items) => Batch),
  "monai.pad_list_data_collate": (test) => {
    const { data, options } = split(test, "method mode value constant_values");
    return collated(data, padListDataCollate(options) as (items: Items) => Batch);
  },
  "monai.decollate_batch": (test) => {
    const { data } = split(test, "detach");
    return isArray(data) ? decollate({ image: data }).map(({ image }) => image) : decollate(data);
  },
};
