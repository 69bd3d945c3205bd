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

/** Labels whose masks follow the channels of the image in what the network sees: all but the background's in ascending order, for the second stage alone. */
export function masksOf({ previous_stage: stage }: Stage, labels: readonly LabelClass[]): readonly number[] {
  if (stage === undefined) return [];
  const values = new Set(labels.filter((l) => !l.ignore).flatMap((l) => l.values));
  return [...values].filter((v) => v !== 0).sort((a, b) => a - b);
}

/** Channels of what the network sees, where `channels` of an image are those of `channelsOf`. */
export const inputChannels = (stage: Stage, channels: readonly string[], labels: readonly LabelClass[]): number =>
  channels.length + (stage.previous_stage === undefined ? 0 : masksOf(stage, labels).length - 1);
