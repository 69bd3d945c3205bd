/** @file What nnU-Net must know of a data set before it plans: its fingerprint, with the names of `dataset_fingerprint.json`. */

import { expectArguments } from "../../host/kinds.ts";
import { expectOptions } from "../../host/options.ts";
import { type HostArray, sizeOf } from "../../host/array.ts";
import { ConfigError, DataError } from "../../host/errors.ts";
import { expectIntegers } from "../../host/integers.ts";
import { RandomState } from "../../host/random/numpy.ts";
import { extent, median } from "../../host/stats.ts";
import { cropToNonzero } from "./crop.ts";
import type { IntensityProperties } from "./normalize.ts";
import { sortWeighted, weightedMoments, weightedQuantiles, type WeightedValues } from "./weighted_values.ts";

/** `dataset_fingerprint.json`. Axes are those of the arrays it was taken from; nnU-Net's own are z, y, x. */
export interface DatasetFingerprint {
  /** By number of the channel. */
  readonly foreground_intensity_properties_per_channel: Readonly<Record<string, IntensityProperties>>;
  /** Voxels after / before cropping to what is not zero, the median case. */
  readonly median_relative_size_after_cropping: number;
  /** Voxels per axis of each case, once cropped. */
  readonly shapes_after_crop: readonly (readonly number[])[];
  /** Voxel size of each case, in mm per axis. */
  readonly spacings: readonly (readonly number[])[];
}

/** How a fingerprint is taken. */
export interface FingerprintOptions {
  /** Foreground voxels that are drawn for the statistics of intensities, over all cases; default nnU-Net's 100 million. */
  readonly sampledVoxels?: number;
}

/** A case of a data set. */
export interface FingerprintCase {
  /** `[C, …spatial]` */
  readonly image: HostArray;
  /** `[1, …spatial]`; foreground is above 0. */
  readonly seg: HostArray;
  /** Per spatial axis, in mm. */
  readonly spacing: readonly number[];
}

/** Takes a fingerprint case by case, so that one case is in memory at a time. */
export class FingerprintExtractor {
  private readonly samples: number;
  private readonly numCases: number;
  private readonly sampled: WeightedValues[][] = [];
  private readonly relative: number[] = [];
  private readonly shapes: number[][] = [];
  private readonly spacings: number[][] = [];

  /** @param numCases how many cases will be added: each gives its share of the voxels that are drawn */
  constructor(numCases: number, options: FingerprintOptions = {}) {
    expectOptions("FingerprintExtractor", options, "sampledVoxels");
    const { sampledVoxels = 1e8 } = options;
    expectIntegers("FingerprintExtractor", { numCases }, 1);
    this.numCases = numCases;
    this.samples = Math.floor(sampledVoxels / numCases);
  }

  /** @throws DataError for NaNs, and for another number of channels than before; ShapeError if image and label map differ */
  add({ image, seg, spacing }: FingerprintCase): void {
    const where = `FingerprintExtractor: case ${this.shapes.length}`;
    for (const [name, { data }] of Object.entries({ image, seg })) {
      if (extent(data).firstNaN >= 0) throw new DataError(`${where}: the ${name} has NaN voxels; repair or leave out the case`);
    }
    const channels = this.sampled[0]?.length ?? image.shape[0];
    if (image.shape[0] !== channels)
      throw new DataError(`${where} has ${image.shape[0]} channels, the cases before it ${channels}`);
    const cropped = cropToNonzero(image, seg);
    this.sampled.push(sampleForeground(cropped.data, cropped.seg, this.samples));
    this.shapes.push(cropped.data.shape.slice(1));
    this.spacings.push([...spacing]);
    this.relative.push(sizeOf(cropped.data.shape.slice(1)) / sizeOf(image.shape.slice(1)));
  }

  /** @throws ConfigError if there were not as many cases as announced */
  finish(): DatasetFingerprint {
    if (this.shapes.length !== this.numCases)
      throw new ConfigError(
        `FingerprintExtractor: ${this.shapes.length} of ${this.numCases} cases were added; add all of them first`,
      );
    const properties = this.sampled[0].map((_, c) => propertiesOf(this.sampled.map((list) => list[c])));
    return {
      foreground_intensity_properties_per_channel: Object.fromEntries(properties.map((p, c) => [String(c), p])),
      median_relative_size_after_cropping: median(this.relative),
      shapes_after_crop: this.shapes,
      spacings: this.spacings,
    };
  }
}

/** The fingerprint of cases that are in memory. */
export function fingerprintOf(cases: readonly FingerprintCase[], options: FingerprintOptions = {}): DatasetFingerprint {
  expectOptions("fingerprintOf", options, "sampledVoxels");
  expectArguments("fingerprintOf", "objects", { cases });
  const extractor = new FingerprintExtractor(cases.length, options);
  for (const one of cases) extractor.add(one);
  return extractor.finish();
}

/** Foreground voxels drawn with replacement, per channel, from one generator; those of a case without foreground are none. */
function sampleForeground(image: HostArray, seg: HostArray, samples: number): WeightedValues[] {
  const random = new RandomState(1234);
  const voxels = seg.data.length;
  let count = 0;
  for (let i = 0; i < voxels; i++) if (seg.data[i] > 0) count++;
  return Array.from({ length: image.shape[0] }, (_, c) => {
    const values = new Float32Array(count);
    for (let i = 0, to = 0; i < voxels; i++) if (seg.data[i] > 0) values[to++] = image.data[c * voxels + i];
    return count === 0 ? { values, counts: new Uint32Array(0) } : drawn(values, samples, random);
  });
}

/** How often each value is drawn, or what is drawn, whichever is shorter. */
function drawn(values: Float32Array, samples: number, random: RandomState): WeightedValues {
  if (values.length > samples) {
    const out = Float32Array.from(random.randint(0, values.length, samples), (i) => values[i]);
    return { values: out, counts: new Uint32Array(samples).fill(1) };
  }
  const counts = new Uint32Array(values.length);
  // Some millions, which need not be kept.
  for (let left = samples; left > 0; left -= drawsAtOnce) {
    const places = random.randint(0, values.length, Math.min(left, drawsAtOnce));
    for (let i = 0; i < places.length; i++) counts[places[i]]++;
  }
  return { values, counts };
}

const drawsAtOnce = 2 ** 14;

function propertiesOf(cases: readonly WeightedValues[]): IntensityProperties {
  const length = cases.reduce((n, { values }) => n + values.length, 0);
  const all = { values: new Float32Array(length), counts: new Uint32Array(length) };
  let at = 0;
  for (const { values, counts } of cases) {
    all.values.set(values, at);
    all.counts.set(counts, at);
    at += values.length;
  }
  const list = sortWeighted(all);
  const [low, middle, high] = weightedQuantiles(list, [0.005, 0.5, 0.995]);
  const seen = list.counts.findIndex((n) => n > 0);
  const last = list.counts.findLastIndex((n) => n > 0);
  const { mean, std } = weightedMoments(list);
  return {
    max: last < 0 ? NaN : list.values[last],
    mean,
    median: middle,
    min: seen < 0 ? NaN : list.values[seen],
    percentile_00_5: low,
    percentile_99_5: high,
    std,
  };
}
