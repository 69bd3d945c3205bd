/** @file TensorFlow.js layers models as modules. */

import { expectDevice } from "../tensor/kind.ts";
import { expectFields, expectArguments } from "../host/kinds.ts";
import { ConfigError } from "../host/errors.ts";
import type { Device } from "../tensor/device.ts";
import type { Tensor } from "../tensor/tensor.ts";
import type { TfjsModel } from "../weights/tfjs/file.ts";
import { type TfjsLayerGraph, tfjsGraph, tfjsStateDict } from "../weights/tfjs/layers.ts";
import { build } from "./layers_model/build.ts";
import { Module, Sequential } from "./module.ts";

/** Layers that read each other's results by name; a layer that is used several times has its weights once. */
export class LayersGraph extends Module {
  /** Names of the inputs, in the model's order; that of the only input is `""`. */
  readonly inputs: readonly string[];
  /** Names of the outputs, in the model's order: those of their layers. */
  readonly outputs: readonly string[];
  private readonly graph: TfjsLayerGraph;
  private readonly parts: ReadonlyMap<string, Module>;

  /** @internal */
  constructor(graph: TfjsLayerGraph, modules: ReadonlyMap<string, Module>) {
    expectFields("LayersGraph", "graph", graph, { layers: "objects", inputs: "list", outputs: "list" });
    expectArguments("LayersGraph", "map", { modules });
    super();
    // Not their weights, which are the modules'.
    const layers = graph.layers.map((layer) => ("tensors" in layer ? { ...layer, tensors: new Map() } : layer));
    this.graph = { ...graph, layers };
    this.parts = modules;
    this.inputs = graph.inputs;
    this.outputs = graph.outputs.map(([name]) => name);
  }

  override *children(): Iterable<readonly [string, Module]> {
    yield* this.parts;
  }

  /** The output of a model with one input and one output, both `[N, C, …]`. Throws `ConfigError` for another, and what the layers throw. */
  forward(x: Tensor): Tensor {
    const { inputs, outputs } = this;
    if (inputs.length !== 1 || outputs.length !== 1)
      throw new ConfigError(
        `LayersGraph: the model has inputs ${show(inputs)} and outputs ${show(outputs)}; call run with names`,
      );
    return this.run({ [inputs[0]]: x })[outputs[0]];
  }

  /**
   * All outputs by name, `[N, C, …]` as the inputs.
   * @param given a tensor for each input of the model
   * @throws ConfigError for missing or unknown inputs, and what the layers throw
   */
  run(given: Readonly<Record<string, Tensor>>): Record<string, Tensor> {
    const missing = this.inputs.filter((name) => !Object.hasOwn(given, name));
    const unknown = Object.keys(given).filter((name) => !this.inputs.includes(name));
    if (missing.length > 0 || unknown.length > 0)
      throw new ConfigError(`LayersGraph: got inputs ${show(Object.keys(given))}; the model has ${show(this.inputs)}`);
    const results = new Map(Object.entries(given));
    for (const { name, shares = name, inputs } of this.graph.layers)
      results.set(name, this.parts.get(shares)!.forward(...inputs.map((from) => results.get(from)!)));
    return Object.fromEntries(this.graph.outputs.map(([name, layer]) => [name, results.get(layer)!]));
  }
}

const show = (names: readonly string[]): string => names.map((name) => `"${name}"`).join(", ") || "none";

/** Whether each layer reads the one before it, and nothing else is read. */
const isChain = ({ inputs, outputs, layers }: TfjsLayerGraph): boolean =>
  inputs.length === 1 &&
  outputs.length === 1 &&
  outputs[0][1] === (layers.at(-1)?.name ?? "") &&
  layers.every((l, i) => l.shares === undefined && l.inputs.length === 1 && l.inputs[0] === (i === 0 ? "" : layers[i - 1].name));

/**
 * A runnable module of a layers model, with its weights, in evaluation mode: a chain of layers or a graph of them, which may share layers and have several
 * inputs and outputs (`LayersGraph.run`). Layers keep their names, those of a model that is a layer behind its name: `encoder/conv`. Images are
 * `[N, C, …]`, channels first, with the spatial axes in the order they have in the model.
 * @param model what `readTfjs` gave
 * @throws FormatError for graph models and for layers that are not supported: see `tfjsGraph`
 */
export function layersModel(device: Device, model: TfjsModel): Sequential | LayersGraph {
  expectDevice("layersModel", device);
  expectFields("layersModel", "model", model, { topology: "object" });
  const graph = tfjsGraph(model);
  const own = graph.layers.filter(({ shares }) => shares === undefined);
  const modules = new Map(own.map((layer) => [layer.name, build(device, layer)]));
  const module = isChain(graph) ? new Sequential(modules) : new LayersGraph(graph, modules);
  // Keras does not count batches.
  module.loadStateDict(tfjsStateDict(graph.layers), { select: (name) => !name.endsWith("num_batches_tracked") });
  return module.eval();
}
