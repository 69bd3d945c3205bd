/** @file TensorFlow.js layers models as modules. */

import type { Device } from "../tensor/device.ts";
import type { Tensor } from "../tensor/tensor.ts";
import type { TfjsModel } from "../weights/tfjs/file.ts";
import { type TfjsLayer, tfjsLayers, tfjsStateDict } from "../weights/tfjs/layers.ts";
import { build } from "./layers_model/build.ts";
import { Module, Sequential } from "./module.ts";

/** Layers that read each other's results by name. */
class LayersGraph extends Module {
  private readonly layers: readonly TfjsLayer[];
  private readonly parts: ReadonlyMap<string, Module>;

  constructor(layers: readonly TfjsLayer[], modules: ReadonlyMap<string, Module>) {
    super();
    // Not their weights, which are the modules'.
    this.layers = layers.map((layer) => ("tensors" in layer ? { ...layer, tensors: new Map() } : layer));
    this.parts = modules;
  }

  override *children(): Iterable<readonly [string, Module]> {
    yield* this.parts;
  }

  forward(x: Tensor): Tensor {
    const results = new Map([["", x]]);
    let last = x;
    for (const { name, inputs } of this.layers) {
      last = this.parts.get(name)!.forward(...inputs.map((from) => results.get(from)!));
      results.set(name, last);
    }
    return last;
  }
}

const isChain = (layers: readonly TfjsLayer[]): boolean =>
  layers.every(({ inputs }, i) => inputs.length === 1 && inputs[0] === (i === 0 ? "" : layers[i - 1].name));

/**
 * A runnable module of a layers model, with its weights, in evaluation mode: a chain of layers or a graph of them with one input and one output.
 * Layers keep their names; images are `[N, C, …]`, channels first, with the spatial axes in the order they have in the model.
 * @param model what `readTfjs` gave
 * @throws FormatError for graph models and for layers that are not supported: see `tfjsLayers`
 */
export function layersModel(device: Device, model: TfjsModel): Module {
  const layers = tfjsLayers(model);
  const modules = new Map(layers.map((layer) => [layer.name, build(device, layer)]));
  const module = isChain(layers) ? new Sequential(modules) : new LayersGraph(layers, modules);
  // Keras does not count batches.
  module.loadStateDict(tfjsStateDict(layers), { select: (name) => !name.endsWith("num_batches_tracked") });
  return module.eval();
}
