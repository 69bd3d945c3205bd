/**
 * @file What segments an image, wherever it was trained: one contract for a run, a results folder of nnU-Net, a bundle of MONAI, an ONNX file or a tfjs
 * model. A kind of model is a file beside this one and a row in `by_kind.ts`.
 */

import type { LabelClass } from "../../data/labels.ts";
import type { Volume } from "../../data/volume.ts";
import type { AbortSignal } from "../../host/platform.ts";
import type { Device } from "../../tensor/device.ts";
import type { KeepScores, KeptScoreMap } from "../inference/kept_scores.ts";
import type { InferenceOptions, SegmentPlan } from "../inference/segmenter.ts";
import type { Candidate } from "../metrics/detection.ts";
import type { Recipe } from "../recipes/recipe.ts";

/** The files that a model consists of: a folder on a disk, dropped on a page, or fetched from a site. */
export interface ModelFiles {
  /** What messages call it. */
  readonly name: string;
  /** Paths of all files, with `/`, relative to the folder; of a single file its name. */
  readonly paths: readonly string[];
  /** Throws `FormatError` for a file that cannot be read. `path` is one of `paths`; gives the file's bytes. */
  read(path: string): Promise<Uint8Array>;
}

/** How an image is scaled before a network that says nothing about it sees it. */
export type Normalization = "none" | "zscore" | "minmax" | "brainchop" | "brainchop-quantile";

/** What whoever opens a model may want; each kind refuses what it cannot follow. */
export interface OpenModelOptions {
  /** In place of what the model's training says. */
  readonly inference?: InferenceOptions | undefined;
  /** Of a run or nnU-Net's folder: last weights or those of the best validation. Default the last. */
  readonly weights?: "last" | "best" | undefined;
  /** Of nnU-Net: folds whose networks are averaged. Default those that there are. */
  readonly folds?: readonly (number | "all")[] | undefined;
  /** Of networks without a description (ONNX, tfjs): how the image is scaled. Default "none" of ONNX, "brainchop" of tfjs. */
  readonly normalization?: Normalization | undefined;
  /**
   * Of networks without a description: the order of the image's axes that they take. Default "xyz", as networks of MONAI, brainchop and voxgrad; "zyx" of
   * those that read images as rows of pixels. A 2-D network sees the planes of the other two axes than z.
   */
  readonly axes?: "xyz" | "zyx" | undefined;
  /** Of a run: its recipe, if that is neither one of the library nor a module that can be loaded from where it was. */
  readonly recipe?: Recipe | undefined;
}

/** Options of `segment`. */
export interface ModelSegmentOptions {
  /** Aborting stops between batches. */
  readonly signal?: AbortSignal | undefined;
  /** Give probabilities of classes or regions too; "channels": one at a time, of models that can. Default false. */
  readonly probabilities?: boolean | "channels" | undefined;
  /** Where models keep scores that they resample, which for many classes are more than memory; default one array. */
  readonly keepScores?: KeepScores | undefined;
  /** Told what will be done, before it is, by models that know. */
  readonly onPlan?: ((plan: SegmentPlan) => void) | undefined;
  /** Told after each batch the windows done and their total. */
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
}

/** What a model says of an image. */
export interface ModelSegmentation {
  /** Label values in the image's geometry: `[1, x, y, z]`; of regions that a bundle leaves apart `[K, x, y, z]`. */
  readonly labels: Volume;
  /** `[K, x, y, z]`, if they were asked for. */
  readonly probabilities?: Volume<Float32Array>;
  /** In place of them the probabilities of the class that is asked for, `[x, y, z]`; to be disposed. */
  readonly probabilityMap?: KeptScoreMap;
  /** Beside `probabilityMap`, which they read as they are written: the bytes, in pieces, of the files that `SegmentationModel.writes` tells, by ending. */
  readonly files?: ReadonlyMap<string, () => AsyncIterable<Uint8Array>>;
  /** What was found, in millimeters, by models that look for things. */
  readonly candidates?: readonly Candidate[];
  /** What is odd about the image for this model. */
  readonly notes?: readonly string[];
}

/** What programs of a model's own kind write of each case, for those who go on with them. */
export interface ModelOutputs {
  /** Ending of label maps, with the dot. */
  readonly ending: string;
  /** With probabilities: endings of further files, which `ModelSegmentation.files` has. */
  readonly probabilities: readonly string[];
  /** With probabilities: files of the folder, the bytes of each by its name. */
  readonly folder: ReadonlyMap<string, Uint8Array>;
}

/** A model, ready to segment. */
export interface SegmentationModel {
  /** Its kind, such as "nnunet". */
  readonly kind: string;
  /** Names of the image's channels in order. */
  readonly channels: readonly string[];
  /** Structures that may be in the label map, without the background. */
  readonly labels: readonly LabelClass[];
  /** One line about it: network, parameters, where it was trained. */
  readonly description: string;
  /** Absent where programs of its kind write label maps as `.nii.gz` and nothing beside them, and where there are none. */
  readonly writes?: ModelOutputs;
  /**
   * Segments an image `[C, x, y, z]` as it was read.
   * @throws ShapeError, DataError for images that do not fit; ConfigError for probabilities that it does not have; the signal's reason
   */
  segment(image: Volume, options?: ModelSegmentOptions): Promise<ModelSegmentation>;
  /** Frees its memory on the device. */
  dispose(): void;
}

/** A kind of model: how its files are told, and how they are opened. */
export interface ModelKind {
  /** One word, as `SegmentationModel.kind` has it. */
  readonly name: string;
  /** For messages: the files that make one. */
  readonly files: string;
  /** Whether these paths are such a model. */
  matches(paths: readonly string[]): boolean;
  /** Reads these files into a model. Throws `FormatError` for damaged ones, `ConfigError` for what is not supported. */
  open(device: Device, files: ModelFiles, options: OpenModelOptions): Promise<SegmentationModel>;
}
