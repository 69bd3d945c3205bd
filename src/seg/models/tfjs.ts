/**
 * @file TensorFlow.js models: layers models of whole heads, such as brainchop's MeshNets (https://github.com/neuroneural/brainchop), and graph models that
 * make a map of scores of an image.
 */

import { SpatialResample } from "../../data/transforms/index.ts";
import type { LabelClass } from "../../data/labels.ts";
import { type Affine, makeVolume, type Volume, withGeometryOf } from "../../data/volume.ts";
import { parseJson, record } from "../../host/bytes/json.ts";
import { ConfigError, FormatError } from "../../host/errors.ts";
import { reversedAxes } from "../../host/strided.ts";
import { counted } from "../../host/text.ts";
import { LayersGraph, layersModel } from "../../nn/layers_model.ts";
import type { Device } from "../../tensor/device.ts";
import { readTfjs } from "../../weights/index.ts";
import { CoreWindows } from "../inference/core_windows.ts";
import { conformed } from "./conform.ts";
import { expectImage } from "./expect_image.ts";
import type { ModelFiles, ModelSegmentation, ModelSegmentOptions, OpenModelOptions, SegmentationModel } from "./model.ts";
import { normalizedBy } from "./normalize.ts";
import { importTfjsGraph } from "../../onnx/index.ts";
import { openGraph } from "./onnx.ts";
import { refuseOthers } from "./refuse.ts";

const channels = ["image"];

/** `labels.json` beside the model: `{"1": "White Matter"}`. */
async function namesOf(files: ModelFiles): Promise<(count: number) => string[]> {
  const file = "labels.json";
  const fail = (problem: string) => new FormatError(`${files.name}: ${problem}`);
  const names = files.paths.includes(file) ? record(parseJson(await files.read(file), file, 8, fail)) : {};
  return (count) => Array.from({ length: count }, (_, i) => String(names[i + 1] ?? `class ${i + 1}`));
}

/**
 * Opens it. A layers model is one of whole heads: images are brought to the grid that such models were trained on, 256³ voxels of 1 mm, and labels back. A
 * graph model is treated as an ONNX file: see `openOnnx`.
 * @throws FormatError for layers that are not known; ConfigError for operations of graphs that are not, and networks that look further than their layers say
 */
export async function openTfjs(device: Device, files: ModelFiles, options: OpenModelOptions): Promise<SegmentationModel> {
  const model = await readTfjs(await files.read("model.json"), (path) => files.read(path), "model.json");
  const names = await namesOf(files);
  if (model.format === "graph-model") {
    const about = { kind: "tfjs", what: "TensorFlow.js graph", name: files.name, names };
    return openGraph(device, importTfjsGraph(device, model), about, options);
  }
  refuseOthers("tfjs", options, "normalization axes inference.maxBytes inference.precision");
  const network = layersModel(device, model);
  if (network instanceof LayersGraph && (network.inputs.length !== 1 || network.outputs.length !== 1))
    throw new ConfigError(
      `${files.name}: the model has ${network.inputs.length} inputs and ${network.outputs.length} outputs; expected one image and one map of scores`,
    );
  const last = [...network.parameters()].at(-1);
  if (!last) throw new FormatError(`${files.name}: the model has no weights`);
  const labels: LabelClass[] = names(last.shape[0] - 1).map((name, i) => ({ name, values: [i + 1] }));
  const { maxBytes, precision } = options.inference ?? {};
  const windows = new CoreWindows(device, network, { maxBytes, precision });
  return {
    kind: "tfjs",
    channels,
    labels,
    description: `TensorFlow.js layers, ${counted(network.parameterCount, "parameter")}`,
    segment: (image, wanted = {}) => segmentHead(windows, image, options, wanted),
    dispose() {
      windows.dispose();
      network.dispose();
    },
  };
}

async function segmentHead(
  windows: CoreWindows,
  image: Volume,
  { normalization = "brainchop", axes = "xyz" }: OpenModelOptions,
  { signal, probabilities, onPlan, onProgress }: ModelSegmentOptions,
): Promise<ModelSegmentation> {
  expectImage(image, channels);
  if (probabilities) throw new ConfigError("a tfjs model decides classes part by part and has no probabilities");
  const head = conformed(image);
  const normal = normalizedBy(normalization, head);
  const input = axes === "zyx" ? reversedAxes(normal) : normal;
  if (onPlan) onPlan(await windows.plan(input.shape));
  const codes = await windows.run(input, { signal, onProgress });
  const labels = makeVolume(axes === "zyx" ? reversedAxes(codes) : codes, head.affine, { kind: "label" });
  if (head === image) return { labels: withGeometryOf(image, labels) };
  const back = new SpatialResample({
    dstAffine: image.affine as Affine,
    spatialSize: image.shape.slice(1),
    mode: "nearest",
    paddingMode: "zeros",
  });
  const { data, shape } = back.apply(labels);
  return {
    labels: withGeometryOf(image, {
      data: codes.data instanceof Uint8Array ? Uint8Array.from(data) : Int32Array.from(data),
      shape,
    }),
  };
}
