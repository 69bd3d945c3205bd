/**
 * @file From logits on the network's grid to a case's own: resampled as the plan says, decided, put back where the crop was. One class after the other,
 * so that memory does not grow with their number.
 */

import { type HostArray, sizeOf } from "../../host/array.ts";
import { stridesOf } from "../../host/shape.ts";
import { copyView } from "../../host/strided.ts";
import type { CaseProperties } from "../../data/nnunet/preprocess.ts";
import { resampleLogitsByPlan } from "../../data/nnunet/resample_by_plan.ts";
import type { KeepScores, KeptScoreMap } from "../inference/kept_scores.ts";
import { probabilityMap, type ScoreMap, scoresInMemory } from "../inference/score_map.ts";
import type { PlannedConfiguration } from "./configuration.ts";
import type { LabelManager } from "./label_manager.ts";

export interface RestoreOptions {
  readonly configuration: PlannedConfiguration;
  readonly properties: CaseProperties;
  readonly transposeForward: readonly number[];
  readonly transposeBackward: readonly number[];
  readonly manager: LabelManager;
}

/** One class on the grid of the cropped case. */
function* classes(logits: ScoreMap, o: Omit<RestoreOptions, "manager">): Generator<Float32Array> {
  const { configuration: c, properties } = o;
  const target = properties.shapeAfterCroppingAndBeforeResampling;
  const original = o.transposeForward.map((a) => properties.spacing[a]);
  const current = c.spacing.length < original.length ? [original[0], ...c.spacing] : [...c.spacing];
  for (let k = 0; k < logits.channels; k++) {
    const one = { data: logits.channel(k), shape: [1, ...logits.shape] };
    const { resampling_fn_probabilities: fn, resampling_fn_probabilities_kwargs: kwargs } = c;
    yield resampleLogitsByPlan(fn, kwargs, one, target, current, original).data;
  }
}

/** One channel of scores on the network's grid, `[1, …]`, on that of the case as it was read, `[1, z, y, x]`; `outside` beyond the crop. */
export function restoreChannel(
  channel: HostArray<Float32Array>,
  options: Omit<RestoreOptions, "manager">,
  outside: number,
): HostArray<Float32Array> {
  const [scores] = classes(scoresInMemory(channel), options);
  return turnedBack(inCrop(Float32Array.from(scores), 1, outside, options), options);
}

/** Label values `[1, z, y, x]` of the case as it was read. */
export function restoreLabels(logits: ScoreMap, options: RestoreOptions): HostArray<Uint8Array | Int16Array> {
  return decided(classes(logits, options), options);
}

function* allChannels({ channels, channel }: ScoreMap): Generator<Float32Array> {
  for (let c = 0; c < channels; c++) yield channel(c);
}

function decided(channels: Iterable<Float32Array>, options: RestoreOptions): HostArray<Uint8Array | Int16Array> {
  const { manager, properties } = options;
  const voxels = sizeOf(properties.shapeAfterCroppingAndBeforeResampling);
  const most = manager.hasRegions ? Math.max(...manager.regionsClassOrder) : manager.heads - 1;
  const out = most < 256 ? new Uint8Array(voxels) : new Int16Array(voxels);
  const best = manager.hasRegions ? undefined : new Float32Array(voxels).fill(-Infinity);
  let k = 0;
  for (const scores of channels) {
    if (best) {
      for (let i = 0; i < voxels; i++) {
        if (!(scores[i] > best[i])) continue;
        best[i] = scores[i];
        out[i] = k;
      }
    } else {
      const value = manager.regionsClassOrder[k];
      for (let i = 0; i < voxels; i++) if (scores[i] > 0) out[i] = value;
    }
    k++;
  }
  return turnedBack(inCrop(out, 1, 0, options), options);
}

/** What `restoreProbabilities` gives. */
export interface RestoredProbabilities {
  /** Label values `[1, z, y, x]` of the case as it was read. */
  readonly labels: HostArray<Uint8Array | Int16Array>;
  /** Probabilities of each head there, `[z, y, x]`; outside of the crop background. */
  readonly probabilities: KeptScoreMap;
}

/** Labels and probabilities from one pass over the classes, whose resampled logits are kept where `keep` says. */
export function restoreProbabilities(logits: ScoreMap, options: RestoreOptions, keep: KeepScores): RestoredProbabilities {
  const { manager, properties } = options;
  const crop = properties.shapeAfterCroppingAndBeforeResampling;
  const voxels = sizeOf(crop);
  const kept = keep(manager.heads, voxels);
  try {
    let at = 0;
    for (const scores of classes(logits, options)) {
      kept.write(at, scores);
      at += voxels;
    }
    const inCropped = { channels: manager.heads, shape: crop, channel: kept.channel };
    const probabilities = probabilityMap(inCropped, manager.hasRegions ? "regions" : "softmax");
    const labels = decided(allChannels(inCropped), options);
    const outside = manager.hasRegions ? 0 : 1;
    return {
      labels,
      probabilities: {
        channels: manager.heads,
        shape: options.transposeBackward.map((a) => properties.shapeBeforeCropping[a]),
        channel: (c) => turnedBack(inCrop(probabilities.channel(c), 1, c === 0 ? outside : 0, options), options).data,
        dispose: kept.dispose,
      },
    };
  } catch (error) {
    kept.dispose();
    throw error;
  }
}

/** Voxels of the crop in the whole image; the first channel is `outside` elsewhere, the others 0. */
function inCrop<A extends Uint8Array | Int16Array | Float32Array>(
  data: A,
  channels: number,
  outside: number,
  { properties }: Omit<RestoreOptions, "manager">,
): HostArray<A> {
  const { shapeBeforeCropping: whole, bboxUsedForCropping: box } = properties;
  const [, ny, nx] = whole;
  const [from, size] = [box.map((b) => b[0]), box.map((b) => b[1] - b[0])];
  const out = new (data.constructor as new (n: number) => A)(channels * sizeOf(whole));
  if (outside !== 0) out.fill(outside, 0, sizeOf(whole));
  for (let c = 0; c < channels; c++)
    for (let z = 0; z < size[0]; z++)
      for (let y = 0; y < size[1]; y++) {
        const at = ((c * size[0] + z) * size[1] + y) * size[2];
        const to = c * sizeOf(whole) + ((z + from[0]) * ny + y + from[1]) * nx + from[2];
        out.set(data.subarray(at, at + size[2]), to);
      }
  return { data: out, shape: [channels, ...whole] };
}

function turnedBack<A extends Uint8Array | Int16Array | Float32Array>(
  x: HostArray<A>,
  { transposeBackward }: Omit<RestoreOptions, "manager">,
): HostArray<A> {
  const axes = [0, ...transposeBackward.map((a) => a + 1)];
  const strides = stridesOf(x.shape);
  return copyView(
    x.data,
    axes.map((a) => x.shape[a]),
    axes.map((a) => strides[a]),
    0,
  );
}
