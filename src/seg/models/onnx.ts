/** @file An ONNX file as a model: one image in, scores of classes out; slices of a volume, one by one, where the network is 2-D. */

import type { LabelClass } from "../../data/labels.ts";
import { makeVolume, type Volume, withGeometryOf } from "../../data/volume.ts";
import { FormatError } from "../../host/errors.ts";
import { reversedAxes } from "../../host/strided.ts";
import { counted } from "../../host/text.ts";
import { noGrad } from "../../autograd/tape.ts";
import { importOnnx, type OnnxModel } from "../../onnx/index.ts";
import type { Device } from "../../tensor/device.ts";
import { scope } from "../../tensor/scope.ts";
import { zeros } from "../../kernels/create.ts";
import { DeviceWindows } from "../inference/device_windows.ts";
import type { InferenceOptions } from "../inference/segmenter.ts";
import { keptInMemory, type KeptScoreMap } from "../inference/kept_scores.ts";
import { decideScores, gathered, mappedScores, probabilityMap, type ScoreMap } from "../inference/score_map.ts";
import { type OutputCoding, outputCodingOf } from "../post/output_coding.ts";
import { expectImage } from "./expect_image.ts";
import type { ModelFiles, ModelSegmentation, ModelSegmentOptions, OpenModelOptions, SegmentationModel } from "./model.ts";
import { normalizedBy } from "./normalize.ts";
import { refuseOthers } from "./refuse.ts";

// Of axes whose size the graph leaves open: most downsampling networks divide by no more, and windows this long fit most devices.
const divisor = 32;
const longest = { 2: 512, 3: 128 } as const;

/** What the graph says of itself. */
interface Network {
  readonly module: OnnxModel;
  readonly dims: 2 | 3;
  readonly channels: number;
  /** Sizes of windows; 0 where the graph takes any. */
  readonly fixed: readonly number[];
  readonly classes: number;
  /** What it ends in: an activation, or scores as they are. */
  readonly ends: "softmax" | "sigmoid" | "scores";
}

/** Files beside the graph that hold its tensors. */
async function tensorsOf(files: ModelFiles): Promise<ReadonlyMap<string, Uint8Array>> {
  const beside = files.paths.filter((p) => !p.endsWith(".onnx") && /\.(data|bin|weights)$|_data$/.test(p));
  return new Map(await Promise.all(beside.map(async (p) => [p, await files.read(p)] as const)));
}

async function readOnnx(device: Device, files: ModelFiles, name: string): Promise<OnnxModel> {
  const beside = await tensorsOf(files);
  const external = (location: string) => {
    const bytes = beside.get(location);
    if (bytes) return bytes;
    throw new FormatError(`${name} keeps tensors in ${location}, which is not among the files`);
  };
  return importOnnx(device, await files.read(name), { source: name, external });
}

/** Throws `FormatError` for graphs that do not segment. */
function networkOf(device: Device, module: OnnxModel, name: string): Network {
  const fail = (problem: string) =>
    new FormatError(`${name}: ${problem}; a model that segments has one image [N, C, …] and one map of scores [N, K, …]`);
  if (module.inputs.length !== 1 || module.outputs.length !== 1)
    throw fail(`has ${module.inputs.length} inputs and ${module.outputs.length} outputs`);
  const shape = module.inputs[0].shape;
  if (shape?.length !== 4 && shape?.length !== 5) throw fail(`its input is [${shape?.join(", ") ?? "of no known shape"}]`);
  const size = (n: number | string) => (typeof n === "number" && n > 0 ? n : 0);
  const fixed = shape.slice(2).map(size);
  const channels = size(shape[1]) || 1;
  const tried = [1, channels, ...fixed.map((n) => n || divisor)];
  const out = noGrad(() => scope(() => module.forward(zeros(device, tried)).shape));
  if (out.length !== shape.length || out[0] !== 1 || !out.slice(2).every((n, i) => n === tried[i + 2]))
    throw fail(`makes [${out}] of [${tried}]`);
  const last = module.lastOperator;
  const ends = last === "Softmax" ? "softmax" : last === "Sigmoid" ? "sigmoid" : "scores";
  return { module, dims: shape.length === 4 ? 2 : 3, channels, fixed, classes: out[1], ends };
}

/** Logits in place of probabilities, so that what follows decides and joins in one way. */
function logitsOf({ ends, classes }: Network, scores: ScoreMap): ScoreMap {
  if (ends === "scores") return scores;
  const logarithm = (p: number) => Math.log(Math.max(p, 1e-38));
  // Of a softmax the logarithm is enough: what is added to all classes changes nothing.
  const logit = ends === "softmax" && classes > 1 ? logarithm : (p: number) => logarithm(p) - logarithm(1 - p);
  return { ...scores, channel: (c) => scores.channel(c).map(logit) };
}

/**
 * Opens an ONNX file. Sizes that the graph leaves open become windows of at most 128³ or 512² whose sides 32 divides; overlap a half, Gaussian weights.
 * @throws FormatError for graphs that do not turn one image into one map of scores; ConfigError for operators that are not known
 */
export async function openOnnx(device: Device, files: ModelFiles, options: OpenModelOptions): Promise<SegmentationModel> {
  const name = files.paths.find((p) => p.endsWith(".onnx"))!;
  const names = (count: number) => Array.from({ length: count }, (_, i) => `class ${i + 1}`);
  return openGraph(device, await readOnnx(device, files, name), { kind: "onnx", what: "ONNX", name, names }, options);
}

/** What a graph is called, and its structures. */
interface GraphNames {
  readonly kind: string;
  readonly what: string;
  /** For messages. */
  readonly name: string;
  readonly names: (count: number) => readonly string[];
}

/** A graph as a model, which takes the module over. Throws as `openOnnx`. */
export function openGraph(device: Device, module: OnnxModel, about: GraphNames, options: OpenModelOptions): SegmentationModel {
  try {
    refuseOthers(
      about.kind,
      options,
      "normalization axes inference.overlap inference.batchSize inference.maxBytes inference.mirror",
    );
    return graphModel(device, networkOf(device, module, about.name), about, options);
  } catch (error) {
    module.dispose();
    throw error;
  }
}

function graphModel(
  device: Device,
  network: Network,
  { kind, what, names }: GraphNames,
  options: OpenModelOptions,
): SegmentationModel {
  const { module, channels, classes, ends } = network;
  const decides = classes === 1 ? "sigmoid" : ends === "sigmoid" ? "regions" : "softmax";
  const named = Array.from({ length: channels }, (_, i) => `channel ${i}`);
  const labels: LabelClass[] = names(decides === "softmax" ? classes - 1 : classes).map((name, i) => ({ name, values: [i + 1] }));
  const coding = outputCodingOf(decides, [{ name: "background", values: [0] }, ...labels]);
  return {
    kind,
    channels: named,
    labels,
    description: `${what}, ${counted(module.parameterCount, "parameter")}`,
    async segment(image, wanted = {}) {
      expectImage(image, named);
      return segmentWith(device, network, coding, image, options, wanted);
    },
    dispose: () => module.dispose(),
  };
}

async function segmentWith(
  device: Device,
  network: Network,
  coding: OutputCoding,
  image: Volume,
  { normalization = "none", axes = "xyz", inference = {} }: OpenModelOptions,
  { signal, probabilities, keepScores = keptInMemory, onPlan, onProgress }: ModelSegmentOptions,
): Promise<ModelSegmentation> {
  const reversed = axes === "zyx";
  const normal = normalizedBy(normalization, image);
  const input = reversed ? reversedAxes(normal) : normal;
  const windows = windowsOf(device, network, input.shape.slice(1), reversed ? 0 : 2, inference);
  let scores: KeptScoreMap | undefined;
  try {
    if (onPlan) onPlan(await windows.plan(input.shape, { scores: true }));
    scores = (await windows.run(input, { scores: true, keepScores, signal, onProgress })).scoreMap!;
    const onGrid = reversed ? mappedScores(scores, image.shape.slice(1), reversedAxes) : scores;
    const logits = logitsOf(network, onGrid);
    const labels = withGeometryOf(image, decideScores(logits, coding));
    if (!probabilities) return { labels };
    const map = probabilityMap(logits, coding.kind);
    if (probabilities !== "channels") return { labels, probabilities: makeVolume(gathered(map), image.affine, image.meta) };
    const { dispose } = scores;
    scores = undefined;
    return { labels, probabilityMap: { ...map, dispose } };
  } finally {
    scores?.dispose();
    windows.dispose();
  }
}

/** Windows over an image of this size; a 2-D network sees planes across `slices`. */
function windowsOf(
  device: Device,
  { module, dims, fixed }: Network,
  size: readonly number[],
  slices: number,
  { overlap = 0.5, batchSize = 1, mirror, maxBytes }: InferenceOptions,
): DeviceWindows {
  const seen = dims === 3 ? [0, 1, 2] : [0, 1, 2].filter((a) => a !== slices);
  const roi = [1, 1, 1];
  seen.forEach((a, i) => (roi[a] = fixed[i] || Math.min(Math.ceil(size[a] / divisor) * divisor, longest[dims])));
  return new DeviceWindows(device, module, {
    roiSize: roi,
    overlap: [0, 1, 2].map((a) => (seen.includes(a) ? overlap : 0)),
    mode: "gaussian",
    swBatchSize: batchSize,
    ...(dims === 2 && { sliceAxis: slices }),
    ...(mirror && { mirrorAxes: seen }),
    ...(maxBytes !== undefined && { maxBytes }),
  });
}
