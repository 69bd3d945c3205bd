/** @file Where a network's output stops being finite: an eager forward pass with every layer's output looked at. */

import { noGrad } from "../../autograd/tape.ts";
import type { Module } from "../../nn/module.ts";
import type { Device } from "../../tensor/device.ts";
import type { HostArray } from "../../host/array.ts";
import type { Tensor } from "../../tensor/tensor.ts";

const bad = (data: ArrayLike<number>): number => {
  for (let i = 0; i < data.length; i++) if (!Number.isFinite(data[i])) return i;
  return -1;
};

/** Names the first of input, weights and layers (in the order they compute) that holds NaN or infinity; undefined if all are finite. */
export async function firstNonFinite(device: Device, model: Module, image: HostArray): Promise<string | undefined> {
  const at = bad(image.data);
  if (at >= 0) return `the input batch (element ${at} is ${image.data[at]})`;
  for (const [name, value] of await model.stateDict()) if (bad(value.data) >= 0) return `the weight ${name}`;
  const seen: { name: string; out: Tensor }[] = [];
  const patched: Module[] = [];
  for (const [name, module] of model.namedModules()) {
    const forward = module.forward.bind(module);
    patched.push(module);
    module.forward = (x) => {
      const out = forward(x);
      seen.push({ name: name || "the model", out });
      return out;
    };
  }
  try {
    noGrad(() => model.forward(device.tensor(image)));
  } finally {
    // Uncovers the class's own method.
    for (const module of patched) delete (module as { forward?: unknown }).forward;
  }
  for (const { name, out } of seen) if (bad(await out.data()) >= 0) return `the output of ${name}`;
  return undefined;
}
