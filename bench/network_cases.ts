/** @file The networks whose training steps are timed. Each is plain data, so that another library can build the same one. */

import type { QuickNatOptions, UNetOptions, VNetOptions } from "../src/seg/index.ts";

export interface Sizes {
  readonly name: string;
  /** `[N, C, spatial…]` */
  readonly input: readonly number[];
  readonly classes: number;
}

export type Network =
  | { readonly network: "UNet"; readonly options: UNetOptions }
  | { readonly network: "VNet"; readonly options: VNetOptions }
  | { readonly network: "QuickNat"; readonly options: QuickNatOptions };

export type NetworkCase = Sizes & Network;

export function unet(spatialDims: 2 | 3, input: readonly number[], channels: readonly number[]): NetworkCase {
  const options = {
    spatialDims,
    inChannels: 1,
    outChannels: 2,
    channels,
    strides: channels.slice(1).map(() => 2),
    numResUnits: 2,
  };
  const size = `${input.slice(0, 2).join("×")}×${input[2]}${spatialDims === 2 ? "²" : "³"}`;
  const name = `UNet${spatialDims}D ${size} (${channels[0]}…${channels.at(-1)}, 2 residual units)`;
  return { name, network: "UNet", input, classes: 2, options };
}

function vnet(samples: number, size: number): NetworkCase {
  const options = { spatialDims: 3, inChannels: 1, outChannels: 2 } as const;
  return { name: `VNet ${samples}×1×${size}³`, network: "VNet", input: [samples, 1, size, size, size], classes: 2, options };
}

function quicknat(samples: number, size: number, numFilters = 64): NetworkCase {
  const options = { outChannels: 28, numFilters };
  const filters = numFilters === 64 ? "" : ` (${numFilters} filters)`;
  const name = `QuickNAT ${samples}×1×${size}²${filters}`;
  return { name, network: "QuickNat", input: [samples, 1, size, size], classes: 28, options };
}

const five = [16, 32, 64, 128, 256];
const wide = [32, 64, 128, 256, 512];

/** What a software adapter can do in minutes. */
export const networkCases: readonly NetworkCase[] = [vnet(1, 64), quicknat(2, 128), unet(3, [2, 1, 64, 64, 64], five)];

/** The same, then sizes that fill a large GPU. */
export const gpuCases: readonly NetworkCase[] = [
  unet(2, [16, 1, 128, 128], five),
  unet(3, [2, 1, 64, 64, 64], five),
  vnet(1, 64),
  quicknat(2, 128),
  unet(2, [32, 1, 256, 256], wide),
  unet(3, [2, 1, 128, 128, 128], wide),
  vnet(1, 128),
  quicknat(8, 256),
];

/** A rehearsal's: seconds on a software adapter, whatever else the machine does. */
export const tinyCases: readonly NetworkCase[] = [
  unet(2, [1, 1, 32, 32], [8, 16, 32]),
  unet(3, [1, 1, 16, 16, 16], [8, 16, 32]),
  vnet(2, 16),
  quicknat(1, 32, 8),
];

/** A small UNet for long runs. */
export const smallUNet: NetworkCase = unet(2, [4, 1, 64, 64], [8, 16, 32]);
