/**
 * @file nnU-Net's cascades: what the second stage sees. The label map of the first stage comes as the last channel of an image, and goes into the network as
 * a mask of each label.
 */

import type { LabelClass } from "../../data/labels.ts";
import type { PlannedConfiguration } from "./configuration.ts";

type Stage = Pick<PlannedConfiguration, "previous_stage">;

const ofStage = "label map of ";

/** Name of the channel with the first stage's label map. */
export const previousChannel = (stage: string): string => `${ofStage}${stage}`;

/** Whether a channel is one. */
export const isPreviousChannel = (name: string): boolean => name.startsWith(ofStage);

/** Names of the channels that a configuration takes, from those of the dataset. */
export const channelsOf = ({ previous_stage: stage }: Stage, channels: readonly string[]): readonly string[] =>
  stage === undefined ? channels : [...channels, previousChannel(stage)];

/** Label values but the background's in ascending order, of all classes and regions. */
export const foregroundValues = (labels: readonly LabelClass[]): readonly number[] =>
  [...new Set(labels.filter((l) => !l.ignore).flatMap((l) => l.values))].filter((v) => v !== 0).sort((a, b) => a - b);

/** Labels whose masks follow the channels of the image in what the network sees; none but for the second stage. */
export const masksOf = ({ previous_stage: stage }: Stage, foreground: readonly number[]): readonly number[] =>
  stage === undefined ? [] : foreground;

/** Channels of what the network sees. `channels` are those of `channelsOf`. */
export const inputChannels = (stage: Stage, channels: readonly string[], foreground: readonly number[]): number =>
  stage.previous_stage === undefined ? channels.length : channels.length - 1 + foreground.length;
