/**
 * @file A bundle of MONAI (`configs/inference.json`, `configs/metadata.json`, `models/model.pt`) as a model: its preprocessing, network, inferer and
 * post-processing run as configured. What is not known here is named, not skipped.
 */

import { foregroundOf, type LabelClass } from "../../data/labels.ts";
import { type Volume, withGeometryOf } from "../../data/volume.ts";
import { parseJson } from "../../host/bytes/json.ts";
import { ConfigError, FormatError } from "../../host/errors.ts";
import { importModule } from "../../host/import_module.ts";
import { counted } from "../../host/text.ts";
import type { Module } from "../../nn/module.ts";
import type { Device } from "../../tensor/device.ts";
import { readTorch } from "../../weights/index.ts";
import { arrayName, forKey, networkOf, plainOptions, type Step, stepOf } from "../bundle/components.ts";
import { dtypeOf } from "../bundle/dtypes.ts";
import type { Value } from "../bundle/expression.ts";
import { BundleConfig, chainOf, type Component, componentOf, type Fields, isFields } from "../bundle/config.ts";
import { type InfererOptions, SimpleInferer, SliceInferer, SlidingWindowInferer } from "../inference/inferers.ts";
import type { InferenceOptions } from "../inference/segmenter.ts";
import { keptInMemory } from "../inference/kept_scores.ts";
import { gathered } from "../inference/score_map.ts";
import { type After, afterOf, decided, through } from "./bundle_after.ts";
import { expectImage } from "./expect_image.ts";
import type { ModelFiles, ModelSegmentation, ModelSegmentOptions, OpenModelOptions, SegmentationModel } from "./model.ts";
import { refuseOthers } from "./refuse.ts";

/** Reading, writing and moving between devices: done by whoever calls, but for the type that the values go through. */
const notHere = new Set("LoadImage EnsureChannelFirst EnsureType ToTensor ToDevice ToNumpy SaveImage".split(" "));

async function configOf(files: ModelFiles): Promise<BundleConfig> {
  const json = "configs/inference.json";
  const name = files.paths.includes(json) ? json : files.paths.find((p) => /^configs\/inference\.ya?ml$/.test(p))!;
  const bytes = await files.read(name);
  return new BundleConfig(name, name === json ? parsed(bytes, name) : await parsedYaml(bytes, name));
}

const parsed = (bytes: Uint8Array, name: string): unknown =>
  parseJson(bytes, "the file", 64, (problem) => new FormatError(`${name}: ${problem}`));

async function parsedYaml(bytes: Uint8Array, name: string): Promise<unknown> {
  let yaml: { parse(text: string): unknown };
  try {
    yaml = (await importModule("yaml")) as typeof yaml;
  } catch (cause) {
    throw new ConfigError(`${name} is YAML: install the package yaml, or make it JSON`, { cause });
  }
  try {
    return yaml.parse(new TextDecoder().decode(bytes));
  } catch (cause) {
    throw new FormatError(`${name}: ${(cause as Error).message}`, { cause });
  }
}

const recordOf = (value: Value | undefined): Fields => (isFields(value) ? value : {});

/** What `metadata.json` says of the channels going in and out: names by number. */
async function channelNames(files: ModelFiles, way: "inputs" | "outputs"): Promise<Readonly<Record<string, string>>> {
  const name = "configs/metadata.json";
  if (!files.paths.includes(name)) return {};
  const config = new BundleConfig(name, parsed(await files.read(name), name));
  const first = Object.values(recordOf(config.get(`network_data_format#${way}`)))[0];
  return recordOf(recordOf(first).channel_def) as Readonly<Record<string, string>>;
}

/** The weights' path: where a `CheckpointLoader` anywhere in the config has it, else where bundles keep it. */
function weightsPath(config: BundleConfig, files: ModelFiles): string {
  const loaders = ["checkpointloader", "handlers", "checkpoint_loader"].flatMap((id) => [config.get(id) ?? []].flat());
  const paths = loaders.flatMap((value) => {
    const loader =
      value !== null && typeof value === "object" && "_target_" in value
        ? componentOf(`${config.name}: handlers`, value)
        : undefined;
    const path = loader && loader.target.endsWith("CheckpointLoader") ? loader.options.load_path : undefined;
    return typeof path === "string" ? [path.replace(/^(?:\.\/)+/, "")] : [];
  });
  const found = [...paths, "models/model.pt", "models/model.ts"].find((p) => files.paths.includes(p));
  if (found) return found;
  throw new FormatError(
    `${files.name} has no ${paths[0] ?? "models/model.pt"}; bundles without weights name where they are in large_files.yml`,
  );
}

/** The array transforms of a chain that concern `key`; what only reads and writes is left out. */
function stepsOf(config: BundleConfig, part: string, key: string): readonly Component[] {
  return chainOf(`${config.name}: ${part}`, config.component(part)).flatMap((component) => {
    const own = forKey(component, key);
    if (!own || !notHere.has(arrayName(component.target))) return own ? [own] : [];
    const dtype = dtypeOf(own);
    // Floats are what images are read as, and networks give.
    return dtype === null || /^float(32|64)$/.test(dtype as string) ? [] : [{ target: "CastToType", options: { dtype } }];
  });
}

function firstComponent(config: BundleConfig, ids: readonly string[]): Component {
  const found = ids.find((name) => config.get(name) !== undefined);
  const component = found === undefined ? undefined : config.component(found);
  if (component) return component;
  throw new FormatError(`${config.name}: has none of ${ids.join(", ")}`);
}

/** Where the windows come from, with what whoever opens the model wants other than the bundle. */
function infererOf({ target, options }: Component, asked: InferenceOptions) {
  const python = "device sw_device progress cache_roi_weight_map cpu_thresh buffer_steps buffer_dim with_coord";
  const given = plainOptions({ target, options }, python) as unknown as InfererOptions;
  const { overlap, batchSize, maxBytes, precision, mirror } = asked;
  const wanted: InfererOptions = {
    ...given,
    ...(overlap !== undefined && { overlap }),
    ...(batchSize !== undefined && { swBatchSize: batchSize }),
    ...(maxBytes !== undefined && { maxBytes }),
    ...(precision !== undefined && { precision }),
    ...(mirror && { mirrorAxes: [0, 1, 2] }),
  };
  if (target === "SlidingWindowInferer")
    return (more: Partial<InfererOptions>) => new SlidingWindowInferer({ ...wanted, ...more });
  if (target === "SliceInferer") return (more: Partial<InfererOptions>) => new SliceInferer({ ...wanted, ...more } as never);
  if (target === "SimpleInferer") return () => new SimpleInferer();
  throw new ConfigError(
    `the bundle's inferer ${target} is not known here; known are SlidingWindowInferer, SliceInferer, SimpleInferer`,
  );
}

/** Structures by the names of the output's channels. */
function labelsOf(names: Readonly<Record<string, string>>, channels: number): LabelClass[] {
  const all = Array.from({ length: channels }, (_, i) => ({ name: names[i] ?? `class ${i}`, values: [i] }));
  const background = /^background$/i.test(names[0] ?? "background");
  return background ? foregroundOf(all) : all.map(({ name }, i) => ({ name, values: [i + 1] }));
}

/**
 * Opens a bundle.
 * @throws FormatError for configs that cannot be read and weights that are not there; ConfigError for components that are not known here; CheckpointError
 *   for weights that do not fit
 */
export async function openBundle(device: Device, files: ModelFiles, options: OpenModelOptions): Promise<SegmentationModel> {
  refuseOthers(
    "bundle",
    options,
    "inference.overlap inference.batchSize inference.maxBytes inference.precision inference.mirror",
  );
  const config = await configOf(files);
  const component = firstComponent(config, ["network_def", "network", "net", "model"]);
  const [inputs, outputs] = [await channelNames(files, "inputs"), await channelNames(files, "outputs")];
  const imageKey = config.get("image_key");
  const before = stepsOf(config, "preprocessing", typeof imageKey === "string" ? imageKey : "image").map(stepOf);
  const inferer = infererOf(firstComponent(config, ["inferer"]), options.inference ?? {});
  inferer({}); // its options are checked now
  const after = afterOf(stepsOf(config, "postprocessing", "pred"));
  const number = (name: string) => {
    const value = component.options[name];
    if (typeof value === "number") return value;
    throw new FormatError(`${config.name}: ${component.target} has no number ${name}`);
  };
  const channels = Array.from({ length: number("in_channels") }, (_, i) => inputs[i] ?? `channel ${i}`);
  const labels = labelsOf(outputs, number("out_channels"));
  const network = networkOf(device, component);
  try {
    const path = weightsPath(config, files);
    network.loadStateDict((await readTorch(await files.read(path), { source: path })).tensors);
  } catch (error) {
    network.dispose();
    throw error;
  }
  network.eval();
  return {
    kind: "bundle",
    channels,
    labels,
    description: `MONAI bundle ${files.name}, ${component.target}, ${counted(network.parameterCount, "parameter")}`,
    segment: (image, wanted = {}) =>
      segmentWith({ network, before, inferer, after, channels, classes: labels.length + 1 }, image, wanted),
    dispose: () => network.dispose(),
  };
}

interface Parts {
  readonly network: Module;
  readonly before: readonly Step[];
  readonly inferer: ReturnType<typeof infererOf>;
  readonly after: After;
  readonly channels: readonly string[];
  readonly classes: number;
}

/** As MONAI's reader gives them: a step that keeps its type would cut off, or wrap around, what integers do not hold. */
const floats = (image: Volume): Volume =>
  image.data instanceof Float32Array || image.data instanceof Float64Array
    ? image
    : { ...image, data: Float32Array.from(image.data) };

async function segmentWith(
  { network, before, inferer, after, channels, classes }: Parts,
  image: Volume,
  { signal, probabilities, keepScores = keptInMemory, onProgress }: ModelSegmentOptions,
): Promise<ModelSegmentation> {
  expectImage(image, channels);
  const { applied: _, ...meta } = image.meta;
  const prepared = through(before, floats({ ...image, meta }));
  signal?.throwIfAborted();
  const scores = await inferer({ signal, ...(onProgress && { onProgress }) }).scores(prepared, network, keepScores);
  const { labels, probabilities: probabilityMap } = decided(scores, prepared, image, after);
  const data = classes > 256 ? Int32Array.from(labels.data) : Uint8Array.from(labels.data);
  const labeled = { labels: withGeometryOf(image, { data, shape: labels.shape }) };
  if (probabilities === "channels") return { ...labeled, probabilityMap };
  try {
    return probabilities ? { ...labeled, probabilities: withGeometryOf(image, gathered(probabilityMap)) } : labeled;
  } finally {
    probabilityMap.dispose();
  }
}
