/**
 * @file A results folder of Python's nnU-Net v2 (`plans.json`, `dataset.json`, `fold_*\/checkpoint_final.pth`), opened as it is and predicted with, label for
 * label: preprocessing, tiles, weights, mirroring, resampling of logits as there (Isensee et al. 2021).
 */

import { expectDevice } from "../../tensor/kind.ts";
import { expectFields, expectArguments } from "../../host/kinds.ts";
import { turnArray, turnVolume, undone } from "../../data/axis_codes.ts";
import { type CaseProperties, nnunetArray, preprocessCase } from "../../data/nnunet/preprocess.ts";
import { splitPreviousStage, withLabelMasks } from "../../data/nnunet/previous_stage.ts";
import { foregroundOf, type LabelClass, parseLabels } from "../../data/labels.ts";
import { makeVolume, type Volume } from "../../data/volume.ts";
import type { HostArray } from "../../host/array.ts";
import { ConfigError, FormatError, ShapeError } from "../../host/errors.ts";
import { expectFinite } from "../../host/finite.ts";
import { expectOptions } from "../../host/options.ts";
import type { AbortSignal } from "../../host/platform.ts";
import { reversedAxes } from "../../host/strided.ts";
import type { Device } from "../../tensor/device.ts";
import { readTorch } from "../../weights/index.ts";
import { DeviceWindows } from "../inference/device_windows.ts";
import type { NnUNet } from "../networks/nnunet_parts.ts";
import { channelsOf, inputChannels, masksOf } from "./cascade.ts";
import { checkpointsOf, type ReadModelFile } from "./checkpoint_files.ts";
import type { PlannedConfiguration } from "./configuration.ts";
import { type LabelManager, labelManager } from "./label_manager.ts";
import { meanOfFolds } from "./mean_of_folds.ts";
import { nnunetNetwork } from "./network.ts";
import { jsonRecord, parsePlans, type PlansFile } from "./plans_file.ts";
import { type KeepScores, keptInMemory, type KeptScoreMap } from "../inference/kept_scores.ts";
import { gathered } from "../inference/score_map.ts";
import { turnOfReader } from "./probability_files.ts";
import { type RestoreOptions, restoreLabels, restoreProbabilities } from "./restore.ts";
import { nnunetTiles } from "./tiles.ts";

/** Options of `openNnunetModel`, `openNnunetFolder`. */
export interface OpenNnunetOptions {
  /** Folds whose networks are averaged. Default those from 0 on that there are, else "all". */
  readonly folds?: readonly (number | "all")[];
  /** Default "checkpoint_final.pth". */
  readonly checkpoint?: string;
  /** Default the one that the checkpoint was trained in. */
  readonly configuration?: string;
}

/** Options of `NnunetModel.predict`. */
export interface NnunetPredictOptions {
  /** Predict mirrored images too, along the axes that the training allowed. Default true. */
  readonly mirroring?: boolean;
  /** Steps of tiles as a share of the tile; default 0.5. */
  readonly tileStepSize?: number;
  /** Weights that fall off from the middle of tiles; default true. */
  readonly gaussian?: boolean;
  /** Give probabilities too, "channels": one at a time. Default false. */
  readonly probabilities?: boolean | "channels";
  /** Tiles per pass of a network; default 1. */
  readonly batchSize?: number;
  /** Bytes of device memory, as `DeviceWindows`. */
  readonly maxBytes?: number;
  /** Where logits are kept in between, which for many classes are more than memory; default one array. */
  readonly keepScores?: KeepScores | undefined;
  /** Aborting stops between tiles. */
  readonly signal?: AbortSignal;
  /** Called after each pass with tiles `done` of `total`. */
  readonly onProgress?: (done: number, total: number) => void;
}

/** What a model folder of nnU-Net says of an image. */
export interface NnunetPrediction {
  /** `[1, x, y, z]` label values in the image's geometry. */
  readonly labels: Volume<Uint8Array | Int16Array>;
  /** `[heads, x, y, z]`: classes with the background first, or regions. */
  readonly probabilities?: Volume<Float32Array>;
  /** The same of the class or region that is asked for, `[x, y, z]`, if they were asked for so. */
  readonly probabilityMap?: KeptScoreMap;
  /** What took the image to the network's grid. */
  readonly properties: CaseProperties;
}

/** A model of nnU-Net, ready to predict. */
export class NnunetModel {
  /** Such as "3d_fullres". */
  readonly configurationName: string;
  /** What the plans say of it. */
  readonly configuration: PlannedConfiguration;
  /** Names of the image channels in order, as the dataset says; of the second stage of a cascade the last one is the label map of the first. */
  readonly channels: readonly string[];
  /** What the outputs of the networks mean. */
  readonly labels: LabelManager;
  /** Structures that a label map may have, as the dataset names them. */
  readonly classes: readonly LabelClass[];
  /** Ending of the dataset's image files. */
  readonly fileEnding: string;
  private readonly device: Device;
  private readonly plans: PlansFile["plans"];
  private readonly networks: readonly NnUNet[];
  private readonly mirrorAxes: readonly number[];

  /** Use `openNnunetModel`. @internal */
  constructor(
    device: Device,
    parts: Pick<NnunetModel, "configurationName" | "configuration" | "channels" | "labels" | "classes" | "fileEnding"> & {
      readonly plans: PlansFile["plans"];
      readonly networks: readonly NnUNet[];
      readonly mirrorAxes: readonly number[];
    },
  ) {
    expectDevice("NnunetModel", device);
    expectFields("NnunetModel", "parts", parts, {
      configurationName: "text",
      configuration: "object",
      channels: "list",
      labels: "object",
      plans: "object",
      networks: "list",
    });
    this.device = device;
    this.configurationName = parts.configurationName;
    this.configuration = parts.configuration;
    this.channels = parts.channels;
    this.labels = parts.labels;
    this.classes = parts.classes;
    this.fileEnding = parts.fileEnding;
    this.plans = parts.plans;
    this.networks = parts.networks;
    this.mirrorAxes = parts.mirrorAxes;
  }

  /**
   * Segments an image `[C, x, y, z]`, the channels in the dataset's order, as stored (not normalized). The second stage of a cascade takes the label map
   * of the first stage as one more channel.
   * @throws ShapeError for another number of channels, DataError for voxels that are not finite; ConfigError, OutOfMemoryError; the signal's reason
   */
  async predict(image: Volume, options: NnunetPredictOptions = {}): Promise<NnunetPrediction> {
    expectOptions(
      "NnunetModel.predict",
      options,
      "mirroring tileStepSize gaussian probabilities batchSize maxBytes keepScores signal onProgress",
    );
    if (image.shape[0] !== this.channels.length)
      throw new ShapeError(
        `the image has ${image.shape[0]} channels, the model takes ${this.channels.length}: ${this.channels.join(", ")}`,
      );
    expectFinite(image);
    const turn = turnOfReader(this.reader, image);
    const { data, properties } = this.preprocessed(turn ? turnVolume(image, turn) : image);
    options.signal?.throwIfAborted();
    const logits = await this.logits(data, options);
    const restore: RestoreOptions = {
      configuration: this.configuration,
      properties,
      transposeForward: this.plans.transpose_forward,
      transposeBackward: this.plans.transpose_backward,
      manager: this.labels,
    };
    const asImage = <A extends Uint8Array | Int16Array | Float32Array>(x: HostArray<A>): Volume<A> => {
      const volume = reversedAxes(x);
      return makeVolume(turn ? turnArray(volume, undone(turn)) : volume, image.affine, image.meta);
    };
    try {
      if (!options.probabilities) return { labels: asImage(restoreLabels(logits, restore)), properties };
      const found = restoreProbabilities(logits, restore, options.keepScores ?? keptInMemory);
      const { channels, shape, channel, dispose } = found.probabilities;
      const probabilityMap: KeptScoreMap = {
        channels,
        shape: image.shape.slice(1),
        channel: (c) => asImage({ data: channel(c), shape: [1, ...shape] }).data,
        dispose,
      };
      const labels = asImage(found.labels);
      if (options.probabilities === "channels") return { labels, probabilityMap, properties };
      try {
        return { labels, probabilities: makeVolume(gathered(probabilityMap), image.affine, image.meta), properties };
      } finally {
        dispose();
      }
    } finally {
      logits.dispose();
    }
  }

  private preprocessed(volume: Volume) {
    const { image, spacing } = nnunetArray(volume);
    if (this.configuration.previous_stage === undefined)
      return preprocessCase({ image, spacing }, this.plans, this.configuration);
    const { previous, image: rest } = splitPreviousStage(image);
    const { data, seg, properties } = preprocessCase({ image: rest, seg: previous, spacing }, this.plans, this.configuration);
    return { data: withLabelMasks(data, seg, masksOf(this.configuration, this.classes)), properties };
  }

  /** Logits `[heads, …]` on the grid of the preprocessed case: the mean of the folds. */
  private logits(data: HostArray<Float32Array>, options: NnunetPredictOptions): Promise<KeptScoreMap> {
    const { keepScores = keptInMemory } = options;
    const folds = this.networks.length;
    return meanOfFolds(
      folds,
      (k) =>
        this.foldLogits(this.networks[k], data, {
          ...options,
          keepScores,
          onProgress: (done, total) => options.onProgress?.(k * total + done, folds * total),
        }),
      keepScores,
    );
  }

  /** Those of one fold: the mean over tiles and mirrored images. */
  private async foldLogits(network: NnUNet, data: HostArray<Float32Array>, options: NnunetPredictOptions): Promise<KeptScoreMap> {
    const { mirroring = true, tileStepSize, gaussian, batchSize, maxBytes, keepScores, signal, onProgress } = options;
    const windows = new DeviceWindows(this.device, network, {
      ...nnunetTiles(this.configuration.patch_size, {
        tileStepSize,
        gaussian,
        ...(mirroring && { mirrorAxes: this.mirrorAxes }),
      }),
      ...(batchSize !== undefined && { swBatchSize: batchSize }),
      ...(maxBytes !== undefined && { maxBytes }),
    });
    try {
      return (await windows.run(data, { scores: true, keepScores, signal, onProgress })).scoreMap!;
    } finally {
      windows.dispose();
    }
  }

  /** nnU-Net's class that reads the images, such as "SimpleITKIO". */
  get reader(): string {
    return this.plans.image_reader_writer;
  }

  /** Networks whose outputs are averaged: one of each fold. */
  get folds(): number {
    return this.networks.length;
  }

  /** Frees the networks. */
  dispose(): void {
    for (const network of this.networks) network.dispose();
  }
}

/**
 * Opens a results folder of nnU-Net v2, such as `nnUNetTrainer__nnUNetPlans__3d_fullres`.
 * @param read gives the folder's files
 * @throws FormatError for files that are missing or are not nnU-Net's; CheckpointError for weights that do not fit the plan; ConfigError for a
 *   network that is not known
 */
export async function openNnunetModel(
  device: Device,
  read: ReadModelFile,
  options: OpenNnunetOptions = {},
): Promise<NnunetModel> {
  expectOptions("openNnunetModel", options, "folds checkpoint configuration");
  expectDevice("openNnunetModel", device);
  expectArguments("openNnunetModel", "function", { read });
  const { checkpoint = "checkpoint_final.pth" } = options;
  const need = async (path: string): Promise<Uint8Array> => {
    const bytes = await read(path);
    if (bytes) return bytes;
    throw new FormatError(`the model folder has no ${path}; expected plans.json, dataset.json and fold_*/${checkpoint}`);
  };
  const plans = parsePlans(await need("plans.json"));
  const dataset = jsonRecord(await need("dataset.json"), "dataset.json");
  const labels = labelManager(dataset);
  const fail = (problem: string) => new FormatError(`dataset.json: ${problem}`);
  const named = foregroundOf(parseLabels(dataset.labels, fail, dataset.regions_class_order));
  // A label map has the numbers of the outputs, whatever values the dataset has.
  const numbers = labels.names.map((name, i) => ({ name, values: [i] }));
  const classes = labels.hasRegions ? named : numbers.slice(1);
  const channels = Object.values((dataset.channel_names ?? dataset.modality ?? {}) as Record<string, string>).map(String);
  if (channels.length === 0) throw new FormatError('dataset.json: "channel_names" is missing');
  const files = await checkpointsOf(read, options.folds, checkpoint);
  const networks: NnUNet[] = [];
  let configurationName = options.configuration;
  let configuration: PlannedConfiguration | undefined;
  let mirrorAxes: readonly number[] = [];
  try {
    for (const { path, bytes } of files) {
      const { tensors, metadata } = await readTorch(bytes, { source: path, key: "network_weights" });
      configurationName ??= metadata.get("init_args.configuration");
      if (configurationName === undefined)
        throw new ConfigError(`${path} does not say its configuration; choose one of ${plans.configurations.join(", ")}`);
      configuration ??= plans.configuration(configurationName);
      mirrorAxes = JSON.parse(metadata.get("inference_allowed_mirroring_axes") ?? "[]") as number[];
      const inputs = inputChannels(configuration, channelsOf(configuration, channels), classes);
      const network = nnunetNetwork(device, configuration, inputs, labels.heads);
      networks.push(network);
      network.loadStateDict(tensors);
    }
  } catch (error) {
    for (const network of networks) network.dispose();
    throw error;
  }
  return new NnunetModel(device, {
    configurationName: configurationName!,
    configuration: configuration!,
    channels: channelsOf(configuration!, channels),
    labels,
    classes,
    fileEnding: typeof dataset.file_ending === "string" ? dataset.file_ending : ".nii.gz",
    plans: plans.plans,
    networks,
    mirrorAxes,
  });
}
