/** @file TensorFlow.js layers models as modules. */

import type { Device } from "../tensor/device.ts";
import type { TfjsModel } from "../weights/tfjs/file.ts";
import { type TfjsLayer, tfjsLayers, tfjsStateDict } from "../weights/tfjs/layers.ts";
import { type ActivationSpec, activationLayer } from "./layers/activation.ts";
import { Conv } from "./layers/conv.ts";
import { Dropout } from "./layers/dropout.ts";
import { type Module, Sequential } from "./module.ts";
import { BatchNorm } from "./layers/norm.ts";

/**
 * A runnable module of a layers model, with its weights, in evaluation mode. Layers keep their names; images are `[N, C, …]`, channels first,
 * with the spatial axes in the order they have in the model.
 * @param model what `readTfjs` gave
 * @throws FormatError for layers that are not supported: see `tfjsLayers`
 */
export function layersModel(device: Device, model: TfjsModel): Sequential {
  const layers = tfjsLayers(model);
  const module = new Sequential(new Map(layers.map((layer) => [layer.name, build(device, layer)])));
  // Keras does not count batches.
  module.loadStateDict(tfjsStateDict(layers), { select: (name) => !name.endsWith("num_batches_tracked") });
  return module.eval();
}

function build(device: Device, layer: TfjsLayer): Module {
  switch (layer.kind) {
    case "conv":
      return new Conv(device, layer.options);
    case "batchNorm":
      return new BatchNorm(device, layer.options.channels, layer.options);
    case "activation":
      return activationLayer(device, layer.act as ActivationSpec);
    case "dropout":
      return new Dropout(device, layer.rate, { channels: layer.channels });
  }
}
