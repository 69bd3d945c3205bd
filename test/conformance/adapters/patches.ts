/** @file MONAI's splitter, merger and patch inferer, and its regularization of batches. */
import * as T from "../../../src/data/transforms/index.ts";
import { type HostArray, sizeOf } from "../../../src/host/array.ts";
import type { RandomSource } from "../../../src/host/random/numpy.ts";
import { AvgMerger } from "../../../src/seg/inference/merger.ts";
import { PatchInferer } from "../../../src/seg/inference/patch_inferer.ts";
import type { WindowPredictor } from "../../../src/seg/inference/sliding_window.ts";
import { SlidingWindowSplitter, type SplitPatch } from "../../../src/seg/inference/splitter.ts";
import type { WindowOutputs } from "../../../src/seg/inference/window_outputs.ts";
import { camel } from "../../lib/names.ts";
import { type Adapters, type Adapter, type Case, NotCovered, withKnownOptions } from "../format.ts";
import { parseFunction } from "../functions.ts";
import { random } from "./data.ts";

type Args = Record<string, any>;

/** Where upstream computes changes nothing here. */
const notOptions = new Set([
  "device",
  "network",
  "call",
  "seed",
  "draws",
  "keys",
  "label_keys",
  "allow_missing_keys",
  "randomize",
]);

const options = (args: Args): Args =>
  Object.fromEntries(
    Object.entries(args).flatMap(([name, value]) => (notOptions.has(name) ? [] : [[camel(name), dtype(name, value)]])),
  );

function dtype(name: string, value: unknown): unknown {
  if (!name.endsWith("_dtype") || typeof value !== "string") return value;
  if (/float16/.test(value)) throw new NotCovered(value);
  return value.replace("torch.", "");
}

/** Each value by an expression of x. */
function pointwise(words: string): (x: HostArray) => HostArray<Float32Array> {
  const fn = parseFunction(words);
  if (!fn) throw new NotCovered(`the function "${words}"`);
  return ({ data, shape }) => ({ data: Float32Array.from(data, (v) => Number(fn(v))), shape });
}

const meanOverSpace = ({ data, shape: [b, c, ...space] }: HostArray): HostArray => {
  const size = sizeOf(space);
  const out = new Float32Array(b * c);
  for (let i = 0; i < data.length; i++) out[Math.floor(i / size)] += data[i] / size;
  return { data: out, shape: [b, c, ...space.map(() => 1)] };
};

/** `[B, C, h, w]` to twice the height and width. */
const twice = ({ data, shape: [b, c, h, w] }: HostArray): HostArray => {
  const out = new Float32Array(4 * data.length);
  for (let i = 0; i < out.length; i++) {
    const [plane, y, x] = [Math.floor(i / (4 * h * w)), Math.floor(i / (2 * w)) % (2 * h), i % (2 * w)];
    out[i] = data[plane * h * w + (y >> 1) * w + (x >> 1)];
  }
  return { data: out, shape: [b, c, 2 * h, 2 * w] };
};

const networks: Readonly<Record<string, (x: HostArray) => WindowOutputs>> = {
  "mean over space": meanOverSpace,
  "every voxel twice along each axis": twice,
  "(x, -x)": (x) => [x, pointwise("-x")(x)],
  "{model_output: x}": (x) => ({ model_output: x }),
  "{b: x, a: mean over space}": (x) => ({ b: x, a: meanOverSpace(x) }),
};

const some =
  (test: (v: number) => boolean) =>
  ({ data }: HostArray): boolean =>
    Array.from(data).some(test);

const filters: Readonly<Record<string, (patch: HostArray, location: readonly number[]) => boolean>> = {
  "any below 256": some((v) => v < 256),
  "any above 256": some((v) => v > 256),
  "at (2, 2) or (2, 0)": (_, at) => ["2,2", "2,0"].includes(String(at)),
};

const splitterOf = (op: string, { filter_fn: filter, ...args }: Args): SlidingWindowSplitter => {
  if (filter && !filters[filter]) throw new NotCovered(`the filter "${filter}"`);
  const given = { ...options(args), ...(filter && { filterFn: filters[filter] }) };
  return withKnownOptions(op, () => new SlidingWindowSplitter(given as never));
};

const pairs = (list: readonly (readonly [HostArray, readonly number[]])[]): SplitPatch[] =>
  list.map(([patch, location]) => ({ patch, location }));

const ofInferer = new Set(
  "splitter merger_cls batch_size preprocessing postprocessing output_keys match_spatial_shape buffer_size".split(" "),
);

function patchInferer({ op, args, inputs }: Case): unknown {
  const { splitter, network = "x", preprocessing, postprocessing, merger_cls: merger, ...rest } = args;
  const own: Args = {};
  const mergerKwargs: Args = {};
  for (const [name, value] of Object.entries(rest)) (ofInferer.has(name) ? own : mergerKwargs)[name] = value;
  const step = (words: unknown): unknown => (typeof words === "string" ? pointwise(words) : (words ?? undefined));
  const inferer = withKnownOptions(
    op,
    () =>
      new PatchInferer({
        ...options(own),
        splitter: typeof splitter === "object" && splitter !== null ? splitterOf(op, splitter) : splitter,
        preprocessing: step(preprocessing) as never,
        postprocessing: step(postprocessing) as never,
        mergerCls: typeof merger === "string" ? (merger.replace(/^monai\.inferers\.(merger\.)?/, "") as never) : merger,
        mergerKwargs: options(mergerKwargs),
      }),
  );
  const model: WindowPredictor<WindowOutputs> = networks[network] ?? pointwise(network);
  return inferer.run(Array.isArray(inputs.inputs) ? pairs(inputs.inputs) : inputs.inputs, model);
}

/** One draw for all arrays: those of a dictionary form, or data and labels. */
function mixer(Type: new (options: T.MixerOptions) => T.Mixer): Adapter {
  return (test) => {
    const { args, inputs, op, expected } = test;
    const make = () => withKnownOptions(op, () => new Type(options(args) as unknown as T.MixerOptions));
    const run = (arrays: readonly HostArray[]) => (source: RandomSource | number) => {
      const t = make();
      t.setRandomState(source);
      t.randomize(arrays[0]);
      return arrays.map((x) => t.applyDrawn(x));
    };
    const wanted = [...[args.keys ?? []].flat(), ...[args.label_keys ?? []].flat()] as string[];
    const keys = wanted.length > 0 ? wanted.filter((key) => key in inputs) : Object.keys(inputs);
    // What the constructor refuses needs no arrays.
    if (keys.length === 0) return make();
    const found = random(test, run(keys.map((key) => inputs[key]))) as HostArray[];
    if (wanted.length > 0 || (!Array.isArray(expected) && !ArrayBuffer.isView(expected?.data)))
      return { ...inputs, ...Object.fromEntries(keys.map((key, i) => [key, found[i]])) };
    return found.length === 1 ? found[0] : found;
  };
}

export const adapters: Adapters = {
  "monai.SlidingWindowSplitter": ({ op, args, inputs }) =>
    Array.from(splitterOf(op, args).split(inputs.inputs ?? inputs.image), ({ patch, location }) => [patch, location]),

  "monai.AvgMerger": ({ op, args, inputs }) => {
    const merger = withKnownOptions(op, () => new AvgMerger(options(args) as never));
    for (const { patch, location } of pairs(inputs.patches)) merger.aggregate(patch, location);
    return merger.finalize();
  },

  "monai.PatchInferer": patchInferer,

  ...Object.fromEntries(
    [T.MixUp, T.CutMix, T.CutOut].flatMap((type) =>
      ["", "d", "D", "Dict"].map((form) => [`monai.transforms.${type.name}${form}`, mixer(type)] as const),
    ),
  ),
};
