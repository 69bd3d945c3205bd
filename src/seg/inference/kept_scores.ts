/** @file Where the scores of a whole image are while its windows are predicted: in memory, or wherever there is room for those of many classes. */

import type { ScoreMap } from "./score_map.ts";

/** Room for scores `[channels, voxels]`. */
export interface KeptScores {
  /** Puts values in place, from element `at` of all on. Values are copied. */
  readonly write: (at: number, values: Float32Array) => void;
  /** The scores of a channel, one for each voxel. Not to be written. `index` is from 0. */
  readonly channel: ScoreMap["channel"];
  /** All of them `[channels, voxels]`, where they are in memory. */
  readonly data?: Float32Array<ArrayBuffer>;
  /** Frees the room. */
  readonly dispose: () => void;
}

/** Scores that take room until they are disposed. */
export type KeptScoreMap = ScoreMap & {
  /** Gives the room back; the scores cannot be read any more. */
  readonly dispose: () => void;
};

/** Makes room for the scores of an image, for so many channels and voxels. */
export type KeepScores = (channels: number, voxels: number) => KeptScores;

/** Scores in one array `[channels, voxels]`, for `channels` of the network and so many `voxels` of the image. */
export function keptInMemory(channels: number, voxels: number): KeptScores {
  const data = new Float32Array(channels * voxels);
  return {
    data,
    write: (at, values) => data.set(values, at),
    channel: (index) => data.subarray(index * voxels, (index + 1) * voxels),
    dispose: () => {},
  };
}
