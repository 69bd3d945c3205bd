/** @file Components of MONAI that bundles name, as what stands for them here: networks by a table, transforms by their names. */

import * as transforms from "../../data/transforms/index.ts";
import type { HostArray } from "../../host/array.ts";
import { ConfigError } from "../../host/errors.ts";
import { camelCase } from "../../host/text.ts";
import type { Module } from "../../nn/module.ts";
import type { Device } from "../../tensor/device.ts";
import { AttentionUnet } from "../networks/attention_unet.ts";
import { BasicUNet } from "../networks/basic_unet.ts";
import { BasicUNetPlusPlus } from "../networks/basic_unet_plus_plus.ts";
import { DynUNet } from "../networks/dynunet.ts";
import { SegResNet } from "../networks/segresnet.ts";
import { UNet } from "../networks/unet.ts";
import { VNet } from "../networks/vnet.ts";
import type { Component } from "./config.ts";
import { carried, carries, dtypeOf } from "./dtypes.ts";
import { expectKnown, type Value } from "./expression.ts";

type Options = Record<string, Value>;

/** Names in camelCase, in nested records too. */
function renamed(value: Value): Value {
  if (value === null || typeof value !== "object") return value;
  if (Array.isArray(value)) return (value as readonly Value[]).map(renamed);
  return Object.fromEntries(Object.entries(value).map(([key, v]) => [camelCase(key), renamed(v)]));
}

/** Options where MONAI's None is another value than its default. */
const nullable = new Set(["act", "norm", "dropoutProbDown", "connectivity"]);

function optionsOf({ target, options }: Component, leaveOut: ReadonlySet<string>): Options {
  const kept = Object.entries(options).filter(([key]) => !leaveOut.has(key));
  for (const [key, value] of kept) expectKnown(`${target}.${key}`, value);
  const named = kept.map(([key, value]) => [camelCase(key), renamed(value)] as const);
  return Object.fromEntries(named.filter(([key, value]) => value !== null || nullable.has(key)));
}

type Maker = (device: Device, options: Options) => Module;

/** Group norm under the two names that SegResNet had for it before. */
function segResNet(device: Device, { normName, numGroups = 8, ...options }: Options): Module {
  const old = typeof normName === "string" && { norm: [normName, normName.toLowerCase() === "group" ? { numGroups } : {}] };
  return new SegResNet(device, { ...options, ...old } as never);
}

const networks: Readonly<Record<string, Maker>> = {
  AttentionUnet: (device, options) => new AttentionUnet(device, options as never),
  BasicUNet: (device, options) => new BasicUNet(device, options as never),
  BasicUnet: (device, options) => new BasicUNet(device, options as never),
  BasicUNetPlusPlus: (device, options) => new BasicUNetPlusPlus(device, options as never),
  BasicUnetPlusPlus: (device, options) => new BasicUNetPlusPlus(device, options as never),
  DynUNet: (device, options) => new DynUNet(device, options as never),
  DynUnet: (device, options) => new DynUNet(device, options as never),
  SegResNet: segResNet,
  UNet: (device, options) => new UNet(device, options as never),
  Unet: (device, options) => new UNet(device, options as never),
  VNet: (device, options) => new VNet(device, options as never),
};

/** The network of a bundle. @throws ConfigError for one that is not known here, and for options that it does not have */
export function networkOf(device: Device, component: Component): Module {
  if (!Object.hasOwn(networks, component.target))
    throw new ConfigError(
      `the bundle's network ${component.target} is not known here; known are ${Object.keys(networks).join(", ")}`,
    );
  return networks[component.target](device, optionsOf(component, new Set(["inplace"])));
}

/** What a transform does to an image or a prediction. */
export type Step = (x: HostArray) => HostArray;

/** Options that tell where data comes from and goes to, or how Python runs. */
const told =
  "keys allow_missing_keys meta_keys meta_key_postfix orig_keys orig_meta_keys lazy device dtype image_only source_key data_type track_meta to_tensor overwrite allow_smaller start_coord_key end_coord_key new_key_prefix".split(
    " ",
  );

/** Options of which the dictionary forms take one for each key. */
const perKey = new Set(
  "mode padding_mode align_corners dtype sigmoid softmax argmax to_onehot threshold rounding nearest_interp".split(" "),
);

/** A dictionary transform as one of the entry `key`; undefined if that is not among its keys. */
export function forKey({ target, options }: Component, key: string): Component | undefined {
  const keys = [options.keys ?? key].flat();
  const at = keys.indexOf(key);
  if (at < 0) return undefined;
  const own = Object.entries(options).map(([name, value]) => {
    const each = perKey.has(name) && Array.isArray(value) && value.length === keys.length;
    return [name, each ? (value as readonly Value[])[at] : value] as const;
  });
  return { target, options: Object.fromEntries(own) };
}

/** A name without the ending of dictionary forms: `Spacingd`, `SpacingD`, `SpacingDict`. */
export const arrayName = (target: string): string => target.replace(/(?:d|D|Dict)$/, "");

interface TransformClass {
  new (options: Options): unknown;
  /** Of those that tell: names and kinds of what they take. */
  readonly options?: string;
}

// Those whose results have the type that `dtype` says, and no list of options.
const casting = new Set(
  "EnsureType ClipIntensityPercentiles HistogramNormalize NormalizeIntensity RandBiasField RandGaussianNoise RandRicianNoise RandScaleIntensity RandScaleIntensityFixedMean RandStdShiftIntensity ScaleIntensity ScaleIntensityFixedMean ScaleIntensityRange ScaleIntensityRangePercentiles StdShiftIntensity".split(
    " ",
  ),
);

const casts = (name: string, { options = "" }: TransformClass): boolean =>
  casting.has(name) || options.split(" ").includes("dtype:text");

/** Those of them that compute in it. */
const computing = /^(ScaleIntensity|(Rand)?StdShiftIntensity|Rand(Gaussian|Rician)Noise)$/;

/** `dtype` for those that compute or cast by it; Python's None is the type of the image, which is read as float32. */
function transformOptions(component: Component, name: string, Class: TransformClass): Options {
  const named = optionsOf(component, new Set(told));
  if (!("dtype" in component.options) || !casts(name, Class)) return named;
  const dtype = dtypeOf(component);
  if (!carries(dtype)) return { ...named, dtype: dtype ?? "float32" };
  if (computing.test(name)) throw new ConfigError(`${component.target} computes in ${dtype}, which nothing here does`);
  // It is cast behind: those that compute do so in float32 in any case.
  return name === "EnsureType" ? named : { ...named, dtype: name === "CastToType" ? "float64" : "float32" };
}

/** A transform by its name. @throws ConfigError for one that is not known here, and for options that it does not have */
export function stepOf(component: Component): Step {
  const names = [component.target, arrayName(component.target)];
  const name = names.find(
    (n) => Object.hasOwn(transforms, n) && typeof (transforms as Record<string, unknown>)[n] === "function",
  );
  const Class = name === undefined ? undefined : (transforms as unknown as Record<string, TransformClass>)[name];
  if (!Class?.prototype || typeof (Class.prototype as { apply?: unknown }).apply !== "function")
    throw new ConfigError(`the bundle's transform ${component.target} is not known here`);
  const transform = new Class(transformOptions(component, name!, Class)) as { apply(x: HostArray): HostArray };
  const dtype = casts(name!, Class) ? dtypeOf(component) : undefined;
  return carries(dtype) ? (x) => carried(component.target, transform.apply(x), dtype) : (x) => transform.apply(x);
}

/** Options of a component that is made here by hand, under their names in camelCase. */
export const plainOptions = (component: Component, leaveOut: string): Options =>
  optionsOf(component, new Set(leaveOut.split(" ")));
