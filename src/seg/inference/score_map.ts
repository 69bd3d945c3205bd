/**
 * @file Scores of images a channel at a time: brought to another grid, averaged over models, turned into probabilities and decided, with never more than a
 * few volumes of the target's size in memory, however many classes there are.
 */

import { expectWord } from "../../host/words.ts";
import { expectCoding } from "../post/expect_coding.ts";
import { expectFields, expectArguments } from "../../host/kinds.ts";
import { resampleDataOrSegToShape, type ResampleToShapeOptions } from "../../data/nnunet/resample.ts";
import { type HostArray, sizeOf } from "../../host/array.ts";
import { ConfigError, ShapeError } from "../../host/errors.ts";
import { expectOptions } from "../../host/options.ts";
import { sameShape, type Shape } from "../../host/shape.ts";
import { codesPerWord } from "../../kernels/window.ts";
import type { OutputCoding } from "../post/output_coding.ts";

/** What networks say of each voxel of an image. */
export interface ScoreMap {
  /** Channels of the networks' output. */
  readonly channels: number;
  /** Spatial size. */
  readonly shape: Shape;
  /**
   * The scores of a channel, the same each time; -Infinity where nothing was predicted. Not to be written. `index` is from 0. One score for each element of
   * `shape`.
   */
  readonly channel: (index: number) => Float32Array;
}

/** Scores `[K, …]` that are in memory. */
export function scoresInMemory(scores: HostArray<Float32Array>): ScoreMap {
  expectArguments("scoresInMemory", "array", { scores });
  const { data } = scores;
  const [channels, ...shape] = scores.shape;
  const voxels = sizeOf(shape);
  return { channels, shape, channel: (c) => data.subarray(c * voxels, (c + 1) * voxels) };
}

/** Scores whose channels `[1, …]` are mapped when they are asked for. */
export function mappedScores(scores: ScoreMap, shape: Shape, map: (channel: HostArray<Float32Array>) => HostArray): ScoreMap {
  expectScores("mappedScores", "scores", scores);
  expectArguments("mappedScores", "numbers", { shape });
  expectArguments("mappedScores", "function", { map });
  return {
    channels: scores.channels,
    shape,
    channel(c) {
      const mapped = map({ data: scores.channel(c), shape: [1, ...scores.shape] });
      if (!sameShape(mapped.shape, [1, ...shape]))
        throw new ShapeError(`scores: a channel came as [${mapped.shape}]; expected [${[1, ...shape]}]`);
      return mapped.data instanceof Float32Array ? mapped.data : Float32Array.from(mapped.data);
    },
  };
}

/**
 * Scores on the grid of their source, as nnU-Net returns its logits: linear, slices of a thick axis to the nearest.
 * @param shape `[x, y, z]` of the source
 * @param currentSpacing of the scores, and `newSpacing` of the source, in mm
 * @throws ShapeError for other ranks
 */
export function resampledScores(
  scores: ScoreMap,
  shape: Shape,
  currentSpacing: readonly number[],
  newSpacing: readonly number[],
  options: Omit<ResampleToShapeOptions, "isSeg"> = {},
): ScoreMap {
  expectOptions("resampledScores", options, "order orderZ forceSeparateZ separateZAnisotropyThreshold");
  expectScores("resampledScores", "scores", scores);
  expectArguments("resampledScores", "numbers", { shape, currentSpacing, newSpacing });
  const how = { order: 1, orderZ: 0, forceSeparateZ: null, ...options };
  return mappedScores(scores, shape, (x) => resampleDataOrSegToShape(x, shape, currentSpacing, newSpacing, how));
}

/** The mean of the scores of several models. @throws ConfigError without any, ShapeError for different shapes */
export function meanScores(maps: readonly ScoreMap[]): ScoreMap {
  expectArguments("meanScores", "list", { maps });
  maps.forEach((map, i) => expectScores("meanScores", `maps[${i}]`, map));
  const [first, ...others] = maps;
  if (!first) throw new ConfigError("meanScores: there are no scores; give those of at least one model");
  for (const { channels, shape } of others) {
    if (channels !== first.channels || !sameShape(shape, first.shape))
      throw new ShapeError(
        `meanScores: the scores are [${[first.channels, ...first.shape]}] and [${[channels, ...shape]}]; expected one shape`,
      );
  }
  if (others.length === 0) return first;
  return {
    ...first,
    channel(c) {
      const sum = new Float32Array(first.channel(c));
      for (const map of others) {
        const values = map.channel(c);
        for (let i = 0; i < sum.length; i++) sum[i] += values[i];
      }
      for (let i = 0; i < sum.length; i++) sum[i] /= maps.length;
      return sum;
    },
  };
}

/** Probabilities of logits: softmax over the channels of outputs of the kind "softmax", else sigmoid. Where nothing was predicted it is background. */
export function probabilityMap(logits: ScoreMap, kind: OutputCoding["kind"]): ScoreMap {
  expectScores("probabilityMap", "logits", logits);
  expectWord("probabilityMap", "kind", kind, ["softmax", "sigmoid", "regions"]);
  if (kind !== "softmax") return { ...logits, channel: (c) => logits.channel(c).map((v) => 1 / (1 + Math.exp(-v))) };
  let normal: { readonly most: Float32Array; readonly total: Float32Array } | undefined;
  return {
    ...logits,
    channel(c) {
      normal ??= normalizer(logits);
      const { most, total } = normal;
      return logits.channel(c).map((v, i) => (most[i] === -Infinity ? Number(c === 0) : Math.exp(v - most[i]) / total[i]));
    },
  };
}

/** The largest logit of each voxel, and Σ exp(logit − largest): one pass that corrects the sum when a larger one comes. */
function normalizer({ channels, shape, channel }: ScoreMap) {
  const most = new Float32Array(sizeOf(shape)).fill(-Infinity);
  const total = new Float32Array(most.length);
  for (let c = 0; c < channels; c++) {
    const values = channel(c);
    for (let i = 0; i < most.length; i++) {
      const v = values[i];
      if (v === -Infinity) continue;
      if (v <= most[i]) total[i] += Math.exp(v - most[i]);
      else {
        total[i] = total[i] * Math.exp(most[i] - v) + 1;
        most[i] = v;
      }
    }
  }
  return { most, total };
}

/**
 * Stored label values `[1, …]` of scores: the channel with the largest score, or what all positive ones mean.
 * @param threshold above which a channel is positive: 0 for logits, ½ for probabilities
 * @throws ShapeError for another number of channels
 */
export function decideScores(scores: ScoreMap, outputs: OutputCoding, threshold = 0): HostArray<Uint8Array | Int32Array> {
  expectScores("decideScores", "scores", scores);
  expectCoding("decideScores", "outputs", outputs);
  const { channels, shape } = scores;
  if (channels !== outputs.channels)
    throw new ShapeError(`decideScores: there are ${channels} channels; expected ${outputs.channels} for ${outputs.kind}`);
  const voxels = sizeOf(shape);
  const codes = codesPerWord(outputs.decision, channels) === 4 ? new Uint8Array(voxels) : new Uint32Array(voxels);
  const most = outputs.decision === "largest" ? new Float32Array(scores.channel(0)) : undefined;
  for (let c = most ? 1 : 0; c < channels; c++) {
    const values = scores.channel(c);
    if (most) {
      for (let i = 0; i < voxels; i++) {
        if (!(values[i] > most[i])) continue;
        most[i] = values[i];
        codes[i] = c;
      }
    } else for (let i = 0; i < voxels; i++) if (values[i] > threshold) codes[i] |= 1 << c;
  }
  return outputs.valuesOf({ data: codes, shape: [1, ...shape] });
}

/** All channels of scores, `[K, …]`. */
export function gathered(scores: ScoreMap): HostArray<Float32Array<ArrayBuffer>> {
  expectScores("gathered", "scores", scores);
  const { channels, shape, channel } = scores;
  const voxels = sizeOf(shape);
  const data = new Float32Array(channels * voxels);
  for (let c = 0; c < channels; c++) data.set(channel(c), c * voxels);
  return { data, shape: [channels, ...shape] };
}

function expectScores(op: string, name: string, scores: unknown): void {
  expectFields(op, name, scores, { channels: "number", shape: "numbers", channel: "function" });
}
