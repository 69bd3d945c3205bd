/**
 * @file The layers of a TensorFlow.js model as a graph that a channels-first engine can build: options in the words of PyTorch, weights in its
 * layout. Only what is unlike Keras is decided here; no layer is run.
 */
import { expectFields, expectArguments } from "../../host/kinds.ts";
import type { WeightTensor } from "../elements.ts";
import { type Fail, failing } from "../../host/bytes/budget.ts";
import { record } from "../../host/bytes/json.ts";
import { converters } from "./convert.ts";
import type { TfjsModel } from "./file.ts";
import type { TfjsOperation } from "./operation.ts";
import type { Made } from "./keras_layer.ts";
import { type Wired, wired } from "./wiring.ts";

/**
 * A layer by its `name` in the module, with the names of those whose results it reads as `inputs`; `""` is the input of the model, or of several each has the
 * name of its layer. Another use of a layer that was there has the name of that as `shares`.
 */
export type TfjsLayer = TfjsOperation & { readonly name: string; readonly inputs: readonly string[]; readonly shares?: string };

/** A layers model: its layers, each after what it reads, and what goes in and comes out. */
export interface TfjsLayerGraph {
  /** Names of the inputs; `""` for the only one. */
  readonly inputs: readonly string[];
  /** Names of the outputs, with the layer whose result each is. */
  readonly outputs: readonly (readonly [name: string, layer: string])[];
  /** The layers that the outputs need. A layer with an activation becomes two, `name` and `name_activation`. */
  readonly layers: readonly TfjsLayer[];
}

/**
 * The layers of a model and how they are joined. A model that is a layer of another is unfolded: its layers are called `model/layer`.
 * @throws FormatError for graph models, layers or options that are not supported, and weights that do not fit their layer
 */
export function tfjsGraph(model: TfjsModel): TfjsLayerGraph {
  expectFields("tfjsGraph", "model", model, { source: "text", topology: "object", weights: "map" });
  const fail = failing(model.source);
  if (model.format === "graph-model") throw fail("this is a graph model, which importTfjsGraph of voxgrad/onnx reads");
  const { uses, inputs, outputs } = wired(model.topology, fail);
  const channelsFirst = uses.some(({ config }) => config.data_format === "channels_first");
  // The name under which a result is known here: that of its activation, or of what came before a layer that does nothing.
  const results = new Map(inputs.map((name) => [name, name]));
  const made = new Map<string, readonly Made[]>();
  const layers = uses.flatMap((use) => {
    const operations = made.get(use.layer) ?? convert(use, model, channelsFirst, fail);
    made.set(use.layer, operations);
    let read = use.inputs.map((name) => results.get(name)!);
    const named = operations.map(({ suffix, operation }): TfjsLayer => {
      const shares = use.name === use.layer ? {} : { shares: use.layer + suffix };
      const next = { ...operation, ...shares, name: use.name + suffix, inputs: read };
      read = [next.name];
      return next;
    });
    results.set(use.name, read[0]);
    return named;
  });
  if (new Set(layers.map(({ name }) => name)).size < layers.length) throw fail("two layers have the same name");
  return { inputs, outputs: outputs.map(([name, result]) => [name, results.get(result)!] as const), layers };
}

/** The layers of a model alone; errors as `tfjsGraph`. `model` is what `readTfjs` gave. */
export function tfjsLayers(model: TfjsModel): readonly TfjsLayer[] {
  return tfjsGraph(model).layers;
}

/** The weights of all layers by their names in the module: `name.weight`. */
export function tfjsStateDict(layers: readonly TfjsLayer[]): Map<string, WeightTensor> {
  expectArguments("tfjsStateDict", "objects", { layers });
  const own = layers.filter(({ shares }) => shares === undefined);
  const named = own.flatMap((l) => ("tensors" in l ? [...l.tensors].map(([k, t]) => [`${l.name}.${k}`, t] as const) : []));
  return new Map(named);
}

function convert({ layer, type, config, inputs }: Wired, model: TfjsModel, channelsFirst: boolean, modelFail: Fail) {
  const fail: Fail = (problem) => modelFail(`layer "${layer}" (${type}): ${problem}`);
  const converter = Object.hasOwn(converters, type) ? converters[type] : undefined;
  if (!converter) {
    throw fail(`this kind of layer is not supported; supported are ${Object.keys(converters).join(", ")}`);
  }
  const made = converter({
    type,
    config: record(config),
    own: ownWeights(layer, model.weights),
    channelsFirst,
    // Keras resizes by the centers of pixels, TensorFlow.js by their corners: a model says by whom it was made.
    madeInTfjs: model.kerasVersion.startsWith("tfjs"),
    fail,
  });
  const joins = made.some(({ operation: { kind } }) => kind === "merge" || kind === "concat");
  if (inputs.length > 1 && !joins) throw fail(`it reads ${inputs.length} layers; one was expected`);
  return made;
}

/** Weights of a layer by the last part of their names, as in `conv/kernel` and `conv/conv/kernel:0`. Of a layer in a model that is a layer they have its name alone. */
function ownWeights(path: string, weights: ReadonlyMap<string, WeightTensor>): Map<string, WeightTensor> {
  const under = (name: string) => [...weights].filter(([key]) => key.startsWith(`${name}/`));
  const whole = under(path);
  const own = whole.length > 0 ? whole : under(path.split("/").at(-1)!);
  return new Map(own.map(([key, t]) => [key.split("/").at(-1)!.replace(/:\d+$/, ""), t]));
}
