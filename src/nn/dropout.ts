/** @file Dropout layers and the device's generator behind them. */

import { dropout } from "../autograd/dropout.ts";
import type { Device } from "../tensor/device.ts";
import { ConfigError } from "../tensor/errors.ts";
import { keep } from "../tensor/scope.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { Module } from "./module.ts";

const generators = new WeakMap<Device, Tensor>();

/** The generator that all dropout layers of a device draw from: u32 `[4]`, seed and count of draws. Part of a checkpoint. */
export function dropoutGenerator(device: Device): Tensor {
  let generator = generators.get(device);
  if (!generator) {
    generator = keep(device.tensor({ data: new Uint32Array(4), shape: [4] }, "u32"));
    generators.set(device, generator);
  }
  return generator;
}

/** Seeds all dropout layers of a device and starts their count anew. */
export function seedDropout(device: Device, seed: number): void {
  const data = new Uint32Array([seed >>> 0, Math.floor(seed / 2 ** 32) >>> 0, 0, 0]);
  device.write(dropoutGenerator(device), { data, shape: [4] });
}

/** Drops elements (or whole channels) in training; returns its input in evaluation. Throws `ConfigError` for a rate outside [0, 1). */
export class Dropout extends Module {
  private readonly device: Device;
  private readonly rate: number;
  private readonly channels: boolean;

  constructor(device: Device, rate: number, { channels = false } = {}) {
    super();
    if (!(rate >= 0 && rate < 1)) throw new ConfigError(`Dropout: the rate must be in [0, 1), got ${rate}`);
    this.device = device;
    this.rate = rate;
    this.channels = channels;
    dropoutGenerator(device); // made now: it must not be born inside a captured step
  }

  forward(x: Tensor): Tensor {
    if (!this.training || this.rate === 0) return x;
    return dropout(x, dropoutGenerator(this.device), this.rate, { channels: this.channels });
  }
}
