/**
 * @file The layers of a TensorFlow.js model as a graph that a channels-first engine can build: options in the words of PyTorch, weights in its
 * layout. Only what is unlike Keras is decided here; no layer is run.
 */
import type { WeightTensor } from "../elements.ts";
import { type Fail, failing } from "../../host/bytes/budget.ts";
import { record } from "../../host/bytes/json.ts";
import { converters } from "./convert.ts";
import type { TfjsModel } from "./file.ts";
import type { TfjsOperation } from "./operation.ts";
import { type Wired, wired } from "./wiring.ts";

/** A layer by its name in the module, with the names of those whose results it reads; `""` is the input of the model. `name` and `inputs`. */
export type TfjsLayer = TfjsOperation & { readonly name: string; readonly inputs: readonly string[] };

/**
 * The layers that a model's output needs, each after what it reads. A layer with an activation becomes two, `name` and `name_activation`.
 * @throws FormatError for graph models, layers or options that are not supported, and weights that do not fit their layer
 */
export function tfjsLayers(model: TfjsModel): TfjsLayer[] {
  const fail = failing(model.source);
  if (model.format === "graph-model") throw fail("this is a graph model, which importTfjsGraph of voxgrad/onnx reads");
  const all = wired(model.topology, fail);
  const channelsFirst = all.some(({ config }) => config.data_format === "channels_first");
  // The name under which the result of a layer is known here: that of its activation, or of what came before a layer that does nothing.
  const results = new Map<string, string>();
  const layers = all.flatMap((layer) => {
    const made = convert(layer, model, channelsFirst, fail);
    // A chain may begin without a layer for its input.
    let inputs = layer.inputs.length === 0 ? [""] : layer.inputs.map((name) => results.get(name)!);
    const named = made.map(({ suffix, operation }): TfjsLayer => {
      const next = { ...operation, name: layer.name + suffix, inputs };
      inputs = [next.name];
      return next;
    });
    results.set(layer.name, inputs[0]);
    return named;
  });
  if (new Set(layers.map(({ name }) => name)).size < layers.length) throw fail("two layers have the same name");
  return layers;
}

/** The weights of all layers by their names in the module: `name.weight`. */
export function tfjsStateDict(layers: readonly TfjsLayer[]): Map<string, WeightTensor> {
  const named = layers.flatMap((l) => ("tensors" in l ? [...l.tensors].map(([k, t]) => [`${l.name}.${k}`, t] as const) : []));
  return new Map(named);
}

function convert({ name, type, config, inputs }: Wired, model: TfjsModel, channelsFirst: boolean, modelFail: Fail) {
  const fail: Fail = (problem) => modelFail(`layer "${name}" (${type}): ${problem}`);
  const converter = Object.hasOwn(converters, type) ? converters[type] : undefined;
  if (!converter) {
    throw fail(`this kind of layer is not supported; supported are ${Object.keys(converters).join(", ")}`);
  }
  const made = converter({
    type,
    config: record(config),
    own: ownWeights(name, model.weights),
    channelsFirst,
    // Keras resizes by the centres of pixels, TensorFlow.js by their corners: a model says by whom it was made.
    madeInTfjs: model.kerasVersion.startsWith("tfjs"),
    fail,
  });
  const joins = made.some(({ operation: { kind } }) => kind === "merge" || kind === "concat");
  if (inputs.length > 1 && !joins) throw fail(`it reads ${inputs.length} layers; one was expected`);
  return made;
}

/** Weights of a layer by the last part of their names, as in `conv/kernel` and `conv/conv/kernel:0`. */
function ownWeights(name: string, weights: ReadonlyMap<string, WeightTensor>): Map<string, WeightTensor> {
  const own = [...weights].filter(([key]) => key.startsWith(`${name}/`));
  return new Map(own.map(([key, t]) => [key.split("/").at(-1)!.replace(/:\d+$/, ""), t]));
}
