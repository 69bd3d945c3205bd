/** @file MONAI's sliding-window inference and its parts. */
import {
  computeImportanceMap,
  type WindowPredictor,
  slidingWindowInference,
  type SlidingWindowOptions,
  slidingWindowStarts,
  startsEvery,
} from "../../../src/seg/inference/sliding_window.ts";
import { SimpleInferer, SliceInferer, SlidingWindowInferer } from "../../../src/seg/inference/inferers.ts";
import { validPatchSize } from "../../../src/data/datasets/patch_position.ts";
import { sizeOf } from "../../../src/host/array.ts";
import { camel } from "../../lib/names.ts";
import { type Adapters, type Case, expectKnown, NotCovered, rangeOf } from "../format.ts";
import { parseFunction } from "../functions.ts";

/** The networks that the cases describe in words. */
const PREDICTORS: Record<string, WindowPredictor> = {
  "constant = mean over channel and space of each window": ({ data, shape }) => {
    const size = sizeOf(shape.slice(2));
    const out = new Float32Array(shape[0] * size);
    const window = data.length / shape[0];
    for (let b = 0; b < shape[0]; b++) {
      let sum = 0;
      for (let i = 0; i < window; i++) sum += data[b * window + i];
      out.fill(sum / window, b * size, (b + 1) * size);
    }
    return { data: out, shape: [shape[0], 1, ...shape.slice(2)] };
  },
  "x + index along last axis inside the window": ({ data, shape }) => ({
    data: data.map((v, i) => v + (i % shape[shape.length - 1])),
    shape,
  }),
  "concat(x,-2x) on channels": ({ data, shape }) => {
    const sample = data.length / shape[0];
    const out = new Float32Array(2 * data.length);
    for (let b = 0; b < shape[0]; b++) {
      const x = data.subarray(b * sample, (b + 1) * sample);
      out.set(x, 2 * b * sample);
      out.set(
        x.map((v) => -2 * v),
        (2 * b + 1) * sample,
      );
    }
    return { data: out, shape: [shape[0], 2 * shape[1], ...shape.slice(2)] };
  },
};

/** In words, or a function or an expression of x that acts on each value. */
function predictor(given: string | ((x: number) => number | boolean)): WindowPredictor {
  const words = typeof given === "string" ? given : given.name;
  const found = PREDICTORS[words];
  if (found) return found;
  const each = typeof given === "string" ? parseFunction(words.replace(/^identity$/, "x")) : given;
  if (!each) throw new NotCovered(`predictor "${words}"`);
  return ({ data, shape }) => ({ data: data.map((v) => Number(each(v))), shape });
}

function options({ op, args, inputs }: Case): SlidingWindowOptions {
  expectKnown(op, args, known);
  const out: Record<string, unknown> = {};
  for (const [name, value] of Object.entries({ ...args, ...args.call }))
    if (windowNames.includes(name) && value !== null) out[camel(name)] = value;
  if (inputs.roi_weight_map) out.roiWeightMap = inputs.roi_weight_map;
  return out as unknown as SlidingWindowOptions;
}

const windowNames =
  "roi_size sw_batch_size overlap mode sigma_scale padding_mode cval buffer_steps buffer_dim with_coord roi_weight_map".split(
    " ",
  );

/** Beside them how a case calls, and where and how loudly upstream runs. */
const known = [
  ...windowNames,
  ..."spatial_dim network predictor call sw_device device progress cache_roi_weight_map cpu_thresh process_fn".split(" "),
];

const networkOf = ({ args }: Case): WindowPredictor => {
  if (args.process_fn) throw new NotCovered("a function of a batch's outputs");
  return predictor(args.network ?? args.predictor ?? args.call?.network ?? "x");
};

/** Starts and ends of patches, or slices of them. */
function densePatches(test: Case): unknown {
  const { op, args } = test;
  expectKnown(op, args, ["image_size", "patch_size", "scan_interval", "return_slice"]);
  const image: number[] = args.image_size;
  const size = validPatchSize(image, args.patch_size);
  let starts: number[][] = [[]];
  for (const [a, n] of image.entries()) {
    const here = startsEvery(args.scan_interval[a] ?? 0, n, size[a]);
    starts = starts.flatMap((s) => here.map((h) => [...s, h]));
  }
  return starts.map((at) => at.map((start, a) => rangeOf(test, start, start + size[a])));
}

export const adapters: Adapters = {
  "monai.dense_patch_slices": densePatches,
  "monai.SimpleInferer": (test) => new SimpleInferer().run(test.inputs.inputs, networkOf(test)),
  "monai.SlidingWindowInfererAdapt": (test) => new SlidingWindowInferer(options(test)).run(test.inputs.inputs, networkOf(test)),
  "monai.SlidingWindowInferer": (test) => new SlidingWindowInferer(options(test)).run(test.inputs.inputs, networkOf(test)),
  "monai.sliding_window_inference": (test) => slidingWindowInference(test.inputs.inputs, options(test), networkOf(test)),

  "monai.SliceInferer": (test) => {
    const { args, inputs } = test;
    // Cases that only give a shape are about the error for it.
    const shape: number[] = inputs.input_shape ?? [];
    const volume = inputs.inputs ?? { data: new Float32Array(sizeOf(shape)), shape };
    const inferer = new SliceInferer({
      ...options(test),
      ...(args.spatial_dim !== undefined && { spatialDim: args.spatial_dim }),
    });
    return inferer.run(volume, networkOf(test));
  },

  "monai.compute_importance_map": ({ args }) => computeImportanceMap(args.patch_size, args.mode, args.sigma_scale),

  "monai.sliding_window_slices": ({ args }) => {
    const { scanInterval, starts } = slidingWindowStarts(args.image_size, args.roi_size, args.overlap);
    return { scan_interval: scanInterval, starts };
  },
};
