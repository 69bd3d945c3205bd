/** @file TorchIO's samplers and its aggregator. */
import {
  GridAggregator,
  GridSampler,
  type GridSamplerOptions,
  gridLocations,
  hannWindow,
} from "../../../src/data/torchio/grid_sampler.ts";
import { type Location, triplet } from "../../../src/data/torchio/patch.ts";
import { LabelSampler, labelProbabilityMap, validCenters, WeightedSampler } from "../../../src/data/torchio/random_samplers.ts";
import { type HostArray, sizeOf } from "../../../src/host/array.ts";
import { type Adapters, type Case, expectKnown, NotCovered } from "../format.ts";

type Args = Record<string, any>;

function argumentsOf(test: Case, known: string): Args {
  const merged = { ...test.inputs, ...test.args };
  expectKnown(test.op, merged, known.split(" "));
  return merged;
}

function locations(test: Case): Location[] {
  const a = argumentsOf(test, "image_size patch_size patch_overlap padding_mode");
  if ((a.padding_mode ?? null) !== null) return [...gridOf(a).locations];
  return gridLocations(a.image_size, triplet("patch_size", a.patch_size, 1), triplet("patch_overlap", a.patch_overlap ?? 0, 0));
}

function gridOf(a: Args): GridSampler {
  const image = { data: new Float32Array(sizeOf(a.image_size)), shape: [1, ...a.image_size] };
  const options: GridSamplerOptions = {
    patchSize: a.patch_size,
    patchOverlap: a.patch_overlap ?? 0,
    paddingMode: a.padding_mode ?? null,
  };
  return new GridSampler({ image }, options);
}

/** The cases fill patch n with n + 1. */
function aggregate(test: Case): unknown {
  const a = argumentsOf(test, "image_size patch_size patch_overlap padding_mode overlap_mode patch_n_value downsampling_factor");
  if (!(a.patch_n_value ?? "constant n+1").startsWith("constant n+1")) throw new NotCovered(a.patch_n_value);
  const grid = gridOf(a);
  const factor = a.downsampling_factor ?? 1;
  const aggregator = new GridAggregator(grid, { overlapMode: a.overlap_mode ?? "crop", downsamplingFactor: factor });
  grid.locations.forEach((location, n) => {
    const size = [0, 1, 2].map((axis) => Math.floor(location[axis + 3] / factor) - Math.floor(location[axis] / factor));
    const patch: HostArray = { data: new Float32Array(sizeOf(size)).fill(n + 1), shape: [1, 1, ...size] };
    aggregator.addBatch(patch, [location]);
  });
  return aggregator.getOutput();
}

/** TorchIO's map of the places of centers, with the channel axis where the case has it. */
function centerProbabilities(test: Case): HostArray {
  const { patch_size: size, ...rest } = argumentsOf(test, "patch_size probability_map map shape");
  const given: HostArray = rest.probability_map ?? rest.map;
  const map = given.shape.length === 3 ? { data: given.data, shape: [1, ...given.shape] } : given;
  const { data, shape } = new WeightedSampler(size, "map").centerProbabilities({ map });
  return { data, shape: test.expected?.shape?.length === 4 ? [1, ...shape] : shape };
}

export const adapters: Adapters = {
  "torchio.WeightedSampler.probability_map": centerProbabilities,
  "torchio.WeightedSampler.process_probability_map": centerProbabilities,
  "torchio.GridAggregator": aggregate,
  "torchio.GridAggregator.hann_window": (test) => {
    const a = argumentsOf(test, "patch_size");
    return hannWindow(triplet("patch_size", a.patch_size, 1));
  },
  "torchio.GridSampler.locations": locations,
  "torchio.GridSampler.validate": locations,
  "torchio.LabelSampler.probability_map": (test) => {
    const a = argumentsOf(test, "label_probabilities patch_size label_map");
    if (!a.label_probabilities)
      return new LabelSampler(a.patch_size, { labelName: "label" }).probabilityMap({ label: a.label_map });
    return labelProbabilityMap(a.label_map, a.label_probabilities, a.patch_size);
  },
  "torchio.LabelSampler.get_probabilities_from_label_map": (test) => {
    const a = argumentsOf(test, "label_map label_probabilities_dict patch_size");
    return labelProbabilityMap(a.label_map, a.label_probabilities_dict, a.patch_size);
  },
  "torchio.WeightedSampler.valid_centres": (test) => {
    const a = argumentsOf(test, "shape patch_size");
    return validCenters(a.shape, a.patch_size);
  },
};
