/** @file MONAI's building blocks: a convolution with norm, dropout and activation, and the residual unit made of such. */

import { expectDevice } from "../../tensor/kind.ts";
import type { Device } from "../../tensor/device.ts";
import { ConfigError, ShapeError } from "../../host/errors.ts";
import { sizeOf } from "../../host/array.ts";
import { expectOptions } from "../../host/options.ts";
import { type Spatial, spatial } from "../../host/shape.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { activationLayer, type ActivationSpec } from "./activation.ts";
import { Conv, ConvTranspose } from "./conv.ts";
import { dropoutLayer, type DropoutSpec } from "./dropout.ts";
import { Identity, Module, Sequential } from "../module.ts";
import { normLayer, type NormSpec } from "./norm.ts";

/** Options that `ConvolutionOptions`, `UNetOptions` share. */
export interface AdnOptions {
  /** Default "PRELU"; null for none. */
  readonly act?: ActivationSpec | null;
  /** Default "INSTANCE"; null for none. */
  readonly norm?: NormSpec | null;
  /** Rate, or the kind of dropout with it; no dropout layer if absent. */
  readonly dropout?: DropoutSpec;
  /** Order of Norm, Dropout and Activation; default "NDA". */
  readonly adnOrdering?: string;
}

/** What dropout of a block drops. */
export interface DropoutDimOptions {
  /** 1 (default) drops elements, 2 or 3 drop whole channels. */
  readonly dropoutDim?: 1 | 2 | 3;
}

/** Norm, dropout and activation in the order of a string such as "NDA". Throws `ConfigError` for other letters or repeats. */
function adn(device: Device, channels: number, options: AdnOptions & DropoutDimOptions): Sequential {
  const { act = "PRELU", norm = "INSTANCE", dropout, dropoutDim, adnOrdering = "NDA" } = options;
  const letters = adnOrdering.toUpperCase();
  if (!/^[NDA]*$/.test(letters) || new Set(letters).size !== letters.length) {
    throw new ConfigError(`adnOrdering must use each of N, D and A at most once, got "${adnOrdering}"`);
  }
  const layers: Record<string, Module> = {};
  for (const letter of letters) {
    if (letter === "N" && norm) layers.N = normLayer(device, norm, channels);
    if (letter === "D" && dropout !== undefined) layers.D = dropoutLayer(device, dropout, dropoutDim);
    if (letter === "A" && act) layers.A = activationLayer(device, act);
  }
  return new Sequential(layers);
}

/** Options of `Convolution`. */
export interface ConvolutionOptions extends AdnOptions, DropoutDimOptions {
  /** Number of spatial axes. */
  readonly spatialDims: 1 | 2 | 3;
  /** Channels of the input. */
  readonly inChannels: number;
  /** Channels of the output. */
  readonly outChannels: number;
  /** Default 1. */
  readonly strides?: Spatial;
  /** Odd; default 3. */
  readonly kernelSize?: Spatial;
  /** Default 1. */
  readonly dilation?: Spatial;
  /** Parts that the channels split into; default 1. */
  readonly groups?: number;
  /** Default true. */
  readonly bias?: boolean;
  /** Leave out norm, dropout and activation; default false. */
  readonly convOnly?: boolean;
  /** Default false. */
  readonly isTransposed?: boolean;
  /** Default (kernelSize − 1) / 2 · dilation: "same" for stride 1. */
  readonly padding?: Spatial;
  /** Transposed only; default strides − 1, so that sizes grow by exactly the stride. */
  readonly outputPadding?: Spatial;
}

function samePadding(kernel: readonly number[], dilation: readonly number[]): number[] {
  return kernel.map((k, i) => {
    if (((k - 1) * dilation[i]) % 2 !== 0)
      throw new ShapeError(`same padding needs odd kernels, got kernelSize ${k} with dilation ${dilation[i]}`);
    return ((k - 1) / 2) * dilation[i];
  });
}

/** MONAI's `Convolution`: `conv`, then `adn`. */
export class Convolution extends Sequential {
  constructor(device: Device, options: ConvolutionOptions) {
    expectOptions(
      "Convolution",
      options,
      "spatialDims:number! inChannels:number! outChannels:number! strides:spread kernelSize:spread dilation:spread groups:number bias:boolean convOnly:boolean isTransposed:boolean padding:spread outputPadding:spread act norm dropout adnOrdering:text dropoutDim",
    );
    expectDevice("Convolution", device);
    const { spatialDims, outChannels, isTransposed = false, convOnly = false } = options;
    const kernelSize = spatial("Convolution", "kernelSize", options.kernelSize ?? 3, spatialDims, 1);
    const stride = spatial("Convolution", "strides", options.strides ?? 1, spatialDims, 1);
    const dilation = spatial("Convolution", "dilation", options.dilation ?? 1, spatialDims, 1);
    const padding = options.padding ?? samePadding(kernelSize, dilation);
    const layer = {
      spatialDims,
      inChannels: options.inChannels,
      outChannels,
      kernelSize,
      stride,
      padding,
      dilation,
      groups: options.groups,
      bias: options.bias,
    };
    const conv = isTransposed
      ? new ConvTranspose(device, { ...layer, outputPadding: options.outputPadding ?? stride.map((s) => s - 1) })
      : new Conv(device, layer);
    super(convOnly ? { conv } : { conv, adn: adn(device, outChannels, options) });
  }
}

/** Options of `ResidualUnit`. */
export interface ResidualUnitOptions extends Omit<ConvolutionOptions, "convOnly" | "isTransposed" | "outputPadding" | "groups"> {
  /** Convolutions on the main path; default 2. */
  readonly subunits?: number;
  /** The last convolution has no norm, dropout and activation; default false. */
  readonly lastConvOnly?: boolean;
}

/** MONAI's `ResidualUnit`: convolutions (the first one strided) plus a convolved or plain copy of the input. */
export class ResidualUnit extends Module {
  /** The convolutions, `unit0`, `unit1` … */
  readonly conv: Sequential;
  /** What the input goes through on the way around them: a convolution, or nothing. */
  readonly residual: Module;

  constructor(device: Device, options: ResidualUnitOptions) {
    expectOptions(
      "ResidualUnit",
      options,
      "subunits:number lastConvOnly:boolean kernelSize:spread padding:spread spatialDims:number! inChannels:number! outChannels:number! strides:spread dilation:spread bias:boolean act norm dropout adnOrdering:text dropoutDim",
    );
    expectDevice("ResidualUnit", device);
    super();
    const { subunits = 2, lastConvOnly = false, ...shared } = options;
    const { spatialDims, inChannels, outChannels, bias } = shared;
    const strides = spatial("ResidualUnit", "strides", options.strides ?? 1, spatialDims, 1);
    const kernelSize = spatial("ResidualUnit", "kernelSize", options.kernelSize ?? 3, spatialDims, 1);
    const dilation = spatial("ResidualUnit", "dilation", options.dilation ?? 1, spatialDims, 1);
    const padding = options.padding || samePadding(kernelSize, dilation); // as in MONAI, 0 means the default too
    const count = Math.max(1, subunits);
    const units: Record<string, Module> = {};
    for (let i = 0; i < count; i++) {
      units[`unit${i}`] = new Convolution(device, {
        ...shared,
        padding,
        inChannels: i === 0 ? inChannels : outChannels,
        strides: i === 0 ? strides : 1,
        convOnly: lastConvOnly && i === count - 1,
      });
    }
    this.conv = new Sequential(units);
    const strided = sizeOf(strides) !== 1;
    this.residual =
      strided || inChannels !== outChannels
        ? new Conv(device, {
            spatialDims,
            inChannels,
            outChannels,
            kernelSize: strided ? kernelSize : 1,
            stride: strides,
            padding: strided ? padding : 0,
            bias,
          })
        : new Identity();
  }

  forward(x: Tensor): Tensor {
    return this.conv.forwardPlus(x, this.residual.forward(x));
  }
}
