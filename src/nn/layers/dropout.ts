/** @file Dropout layers and the device's generator behind them. */

import { expectDevice } from "../../tensor/kind.ts";
import { expectArguments } from "../../host/kinds.ts";
import { dropout } from "../../autograd/dropout.ts";
import { add, affine, mul } from "../../autograd/pointwise.ts";
import { full } from "../../kernels/view.ts";
import type { Device } from "../../tensor/device.ts";
import { ConfigError } from "../../host/errors.ts";
import { expectNames, expectOptions } from "../../host/options.ts";
import { defaultSeed } from "../../host/random/default_seed.ts";
import { keep } from "../../tensor/scope.ts";
import { runSynchronous } from "../../tensor/synchronous.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { type AnyCase, named } from "./named.ts";
import { Module } from "../module.ts";

const generators = new WeakMap<Device, Tensor>();

const state = (seed: number): Uint32Array => new Uint32Array([seed >>> 0, Math.floor(seed / 2 ** 32) >>> 0, 0, 0]);

/** The generator that all dropout layers of a device draw from: u32 `[4]`, seed and count of draws. Part of a checkpoint. */
export function dropoutGenerator(device: Device): Tensor {
  let generator = generators.get(device);
  if (!generator) {
    generator = keep(device.tensor({ data: state(defaultSeed()), shape: [4] }, "u32"));
    generators.set(device, generator);
  }
  return generator;
}

let standIn: Tensor | undefined;

/** Runs `fn`, in which dropout layers draw from this generator (u32 `[4]`) and leave their device's alone. Throws `ConfigError` if `fn` is asynchronous. */
export function drawingFrom<R>(generator: Tensor, fn: () => R): R {
  const before = standIn;
  standIn = generator;
  try {
    return runSynchronous("drawingFrom", fn);
  } finally {
    standIn = before;
  }
}

/**
 * Seeds all dropout layers of a device and starts their count anew.
 * @param seed an integer
 */
export function seedDropout(device: Device, seed: number): void {
  expectDevice("seedDropout", device);
  expectArguments("seedDropout", "number", { seed });
  device.write(dropoutGenerator(device), { data: state(seed), shape: [4] });
}

/**
 * Dropout (Srivastava et al. 2014) of any shape, or of whole channels of `[N, C, …]`: in training each is zero with probability `rate` and the rest is scaled by
 * 1 / (1 − rate); in evaluation the input is returned. All layers of a device draw from one generator, which `seedDropout` seeds. Throws
 * `ConfigError` for a rate outside [0, 1).
 */
export class Dropout extends Module {
  private readonly device: Device;
  private readonly rate: number;
  private readonly channels: boolean;

  constructor(device: Device, rate: number, options: { readonly channels?: boolean } = {}) {
    expectOptions("Dropout", options, "channels:boolean");
    expectDevice("Dropout", device);
    expectArguments("Dropout", "number", { rate });
    const { channels = false } = options;
    super();
    if (!(rate >= 0 && rate < 1)) throw new ConfigError(`Dropout: the rate must be in [0, 1), got ${rate}`);
    this.device = device;
    this.rate = rate;
    this.channels = channels;
    dropoutGenerator(device); // made now: it must not be born inside a captured step
  }

  /** @internal */
  override get idle(): boolean {
    return !this.training || !this.drops;
  }

  /** @internal Whether training drops anything. */
  get drops(): boolean {
    return this.rate > 0;
  }

  forward(x: Tensor): Tensor {
    if (this.idle) return x;
    return dropout(x, standIn ?? dropoutGenerator(this.device), this.rate, { channels: this.channels });
  }
}

// What SELU has on its left end: −scale · alpha, with the sign turned.
const selu = 1.7580993408473766;

/**
 * Alpha dropout (Klambauer et al. 2017) in training: dropped elements become SELU's lowest value, and all are scaled and shifted so that zero mean
 * and unit variance stay. Returns its input in evaluation. Throws `ConfigError` for a rate outside [0, 1).
 */
export class AlphaDropout extends Module {
  private readonly rate: number;
  private readonly mask: Dropout;

  constructor(device: Device, rate: number) {
    expectDevice("AlphaDropout", device);
    expectArguments("AlphaDropout", "number", { rate });
    super();
    this.rate = rate;
    this.mask = new Dropout(device, rate);
  }

  /** @internal */
  override get idle(): boolean {
    return !this.training || this.rate === 0;
  }

  forward(x: Tensor): Tensor {
    const { rate } = this;
    if (this.idle) return x;
    const a = 1 / Math.sqrt((selu ** 2 * rate + 1) * (1 - rate));
    const kept = this.mask.forward(full(x.device, x.shape, 1)); // 0 or 1 / (1 − rate)
    return add(mul(x, affine(kept, a * (1 - rate))), affine(kept, selu * a * (1 - rate), selu * a * (rate - 1)));
  }
}

/** A rate, or a MONAI name, alone or with it. The rate `p` is by default 0.5. */
export type DropoutSpec =
  | number
  | AnyCase<"DROPOUT" | "ALPHADROPOUT">
  | readonly [AnyCase<"DROPOUT" | "ALPHADROPOUT">, { readonly p?: number }];

/**
 * The layer of a MONAI dropout specification, names in any case.
 * @param dropoutDim 1 drops elements; 2 or 3 drop whole channels, whatever the number of spatial axes. (In torch, `Dropout3d` on a batch of 2-D
 * images takes the samples for channels and drops whole samples; nobody wants that.)
 * @throws ConfigError for an unknown name or another `dropoutDim`
 */
export function dropoutLayer(device: Device, spec: DropoutSpec, dropoutDim = 1): Module {
  expectDevice("dropoutLayer", device);
  const [name, options] = typeof spec === "number" ? (["DROPOUT", { p: spec }] as const) : named("dropout", spec);
  expectNames(`dropout "${name}"`, options, "p");
  const { p = 0.5 } = options as { readonly p?: number };
  if (![1, 2, 3].includes(dropoutDim)) throw new ConfigError(`dropoutDim must be 1, 2 or 3, got ${dropoutDim}`);
  switch (name.toUpperCase()) {
    case "DROPOUT":
      return new Dropout(device, p, { channels: dropoutDim > 1 });
    case "ALPHADROPOUT":
      return new AlphaDropout(device, p);
    default:
      throw new ConfigError(`unknown dropout "${name}"; known are DROPOUT and ALPHADROPOUT`);
  }
}
