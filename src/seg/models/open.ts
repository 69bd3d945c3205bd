/** @file Opening a model of whatever kind by its files, and segmenting with it. */

import { expectWord } from "../../host/words.ts";
import { normalizations } from "./normalize.ts";
import { expectFiles } from "./expect_files.ts";
import { expectArguments } from "../../host/kinds.ts";
import { expectDevice } from "../../tensor/kind.ts";
import { FormatError } from "../../host/errors.ts";
import { expectNames, expectOptions } from "../../host/options.ts";
import type { Volume } from "../../data/volume.ts";
import type { Device } from "../../tensor/device.ts";
import { modelKinds } from "./by_kind.ts";
import type {
  ModelFiles,
  ModelKind,
  ModelSegmentation,
  ModelSegmentOptions,
  OpenModelOptions,
  SegmentationModel,
} from "./model.ts";

/** The files of the one folder that all paths lie in, as browsers and archives give them, under paths within it. */
function withinFolder(files: ModelFiles): ModelFiles {
  const [top] = files.paths.length > 0 ? files.paths[0].split("/") : [];
  if (files.paths.length === 0 || !files.paths.every((p) => p.startsWith(`${top}/`))) return files;
  return withinFolder({
    name: files.name,
    paths: files.paths.map((p) => p.slice(top.length + 1)),
    read: (path) => files.read(`${top}/${path}`),
  });
}

/** The kind of a model. Throws `FormatError` if the files are none that is known. */
export function modelKindOf(files: ModelFiles): ModelKind {
  expectFiles("modelKindOf", files);
  const { paths } = withinFolder(files);
  const kind = modelKinds.find((k) => k.matches(paths));
  if (kind) return kind;
  const known = modelKinds.map((k) => `${k.files} (${k.name})`).join("; ");
  throw new FormatError(`${files.name} is no model that is known; expected ${known}; it has ${listed(paths)}`);
}

const listed = (paths: readonly string[]) =>
  paths.length === 0 ? "no files" : `${paths.slice(0, 6).join(", ")}${paths.length > 6 ? ` and ${paths.length - 6} more` : ""}`;

/**
 * Opens a run, a results folder of nnU-Net, a bundle of MONAI, an ONNX file or a tfjs model: what the files are decides.
 * @throws FormatError for files that are no model or are damaged; CheckpointError for weights that do not fit; ConfigError for options that this kind
 *   of model does not have, and for components that are not known
 */
export function openModel(device: Device, files: ModelFiles, options: OpenModelOptions = {}): Promise<SegmentationModel> {
  expectOptions("openModel", options, "inference weights folds normalization axes recipe");
  expectDevice("openModel", device);
  expectFiles("openModel", files);
  expectWord("openModel", "weights", options.weights ?? "last", ["last", "best"]);
  expectWord("openModel", "axes", options.axes ?? "xyz", ["xyz", "zyx"]);
  expectWord("openModel", "normalization", options.normalization ?? "none", normalizations);
  return modelKindOf(files).open(device, withinFolder(files), options);
}

/** Segments an image `[C, x, y, z]` with a model; see `SegmentationModel.segment`. Files are opened for it, and closed. */
export async function segment(
  device: Device,
  model: SegmentationModel | ModelFiles,
  image: Volume,
  options: ModelSegmentOptions & OpenModelOptions = {},
): Promise<ModelSegmentation> {
  const { signal, probabilities, keepScores, onPlan, onProgress, ...opening } = options;
  const wanted = { signal, probabilities, keepScores, onPlan, onProgress };
  expectOptions(
    "segment",
    options,
    "signal probabilities keepScores onPlan onProgress inference weights folds normalization axes recipe",
  );
  expectArguments("segment", "object", { model });
  expectArguments("segment", "volume", { image });
  if ("segment" in model) {
    expectNames("segment", opening, []);
    return model.segment(image, wanted);
  }
  const opened = await openModel(device, model, opening);
  try {
    return await opened.segment(image, wanted);
  } finally {
    opened.dispose();
  }
}
